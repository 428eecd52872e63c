use std::time::Instant;

use proptest::prelude::*;

use super::*;

fn lock(text: &str) -> Inventory {
    read(&"Gemfile.lock".into(), text.as_bytes())
}

fn gemfile(text: &str) -> Inventory {
    read_manifest(&"Gemfile".into(), text.as_bytes())
}

const WHOLE: &str = "\
GIT
  remote: https://github.com/acme/tool.git
  revision: 0123456789abcdef
  branch: main
  specs:
    tool (0.3.1)
      rack (>= 2, < 4)

PATH
  remote: engines/desk
  specs:
    desk (1.0)

PLUGIN SOURCE
  remote: https://plugins.example
  type: x
  specs:
    plugged (1.2)

GEM
  remote: https://rubygems.org/
  remote: https://gems.example/
  specs:
    nokogiri (1.15.4-x86_64-linux)
      racc (~> 1.4)
    racc (1.7.1)
    rack (2.2.8)

PLATFORMS
  ruby
  x86_64-linux

DEPENDENCIES
  desk!
  nokogiri (~> 1.15)
  tool!

CHECKSUMS
  desk (1.0)
  nokogiri (1.15.4-x86_64-linux) sha256=aa11
  rack (2.2.8) sha256=bb22

RUBY VERSION
   ruby 2.5.3p105 (jruby 9.2.6.0)

BUNDLED WITH
   2.4.19
";

#[test]
fn every_section() {
    let found = lock(WHOLE);
    assert_eq!(found.problems, []);
    let names: Vec<_> =
        found.packages.iter().map(|p| (p.name.as_str(), p.version.as_str(), p.direct)).collect();
    assert_eq!(
        names,
        [
            ("tool", "0.3.1", true),
            ("desk", "1.0", true),
            ("plugged", "1.2", false),
            ("nokogiri", "1.15.4", true),
            ("racc", "1.7.1", false),
            ("rack", "2.2.8", false)
        ]
    );
    let tool = &found.packages[0];
    let url = "https://github.com/acme/tool.git".to_owned();
    assert_eq!(
        tool.origin,
        Origin::Git { url, revision: "0123456789abcdef".into(), reference: "main".into() }
    );
    assert_eq!(tool.requires, [Requirement { name: "rack".into(), range: ">= 2, < 4".into() }]);
    assert_eq!(found.packages[1].origin, Origin::Path("engines/desk".into()));
    let nokogiri = &found.packages[3];
    assert_eq!((nokogiri.platform.as_str(), nokogiri.checksum.as_str()), ("x86_64-linux", "sha256:aa11"));
    assert_eq!(nokogiri.origin, Origin::Registry("https://rubygems.org/".into()));
    let (start, end) = nokogiri.span;
    assert_eq!(&WHOLE[start as usize..end as usize], "nokogiri (1.15.4-x86_64-linux)");
    assert_eq!(found.asks[2].origin, tool.origin);
    let sources: Vec<_> =
        found.sources.iter().map(|(_, (from, to))| &WHOLE[*from as usize..*to as usize]).collect();
    assert_eq!(sources, ["https://rubygems.org/", "https://gems.example/"]);
    assert_eq!(found.asks[1].requirement.range, "~> 1.15");
    let runtimes: Vec<_> = found.runtimes.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    assert_eq!(runtimes, [("ruby", "2.5.3p105"), ("jruby", "9.2.6.0"), ("bundler", "2.4.19")]);
}

#[test]
fn windows_line_ends_change_nothing_but_places() {
    let found = lock(&WHOLE.replace('\n', "\r\n"));
    assert_eq!(found.problems, []);
    assert_eq!(found.packages.len(), 6);
    assert_eq!(found.packages[5].version, "2.2.8");
}

#[test]
fn an_unfinished_merge_keeps_both_sides() {
    let text = "GEM\n  remote: https://rubygems.org/\n  specs:\n<<<<<<< HEAD\n    rack (2.2.8)\n=======\n    rack (3.0.0)\n>>>>>>> topic\n    rake (13.0)\n";
    let found = lock(text);
    let versions: Vec<_> = found.packages.iter().map(|p| p.version.as_str()).collect();
    assert_eq!(versions, ["2.2.8", "3.0.0", "13.0"]);
    assert_eq!(found.problems.len(), 1);
    assert_eq!(found.problems[0].line, Some(4));
}

#[test]
fn broken_lines_are_told_with_their_number() {
    let found = lock("GEM\n  specs:\n    rack\n    rack (1.0\n     odd (1.0)\nnonsense line\n  x\n");
    let told: Vec<_> = found.problems.iter().map(|p| p.line).collect();
    assert_eq!(told, [Some(3), Some(4), Some(5), Some(6)]);
    assert!(found.packages.is_empty());
    let found = read(&"Gemfile.lock".into(), b"GEM\n  specs:\n    r\xffck (1.0)\n    rake (1)\n");
    assert_eq!(found.problems[0].line, Some(3));
    assert_eq!(found.packages[1].name, "rake");
}

#[test]
fn huge_files_end_in_time() {
    let mut text = String::from("GEM\n  specs:\n");
    for index in 0..MOST + 10 {
        text += &format!("    g{index} (1.{index})\n");
    }
    let start = Instant::now();
    let found = lock(&text);
    assert_eq!(found.packages.len(), MOST);
    assert!(found.problems.iter().any(|p| p.message.contains("more than")));
    let found = lock(&"nonsense\n".repeat(1 << 20));
    assert!(found.problems.len() <= MOST_PROBLEMS + 2);
    assert!(read(&"Gemfile.lock".into(), &vec![b' '; LONGEST + 1]).problems[0].unread);
    assert!(read_manifest(&"Gemfile".into(), &vec![b'('; 1 << 20]).asks.is_empty());
    assert!(gemfile(&"group :a do\n".repeat(1 << 16)).asks.is_empty());
    assert!(gemfile(&"%w[".repeat(1 << 14)).asks.is_empty());
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn public_lockfiles_are_understood() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/lockfiles");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path().join("Gemfile.lock");
        let Ok(bytes) = std::fs::read(&path) else { continue };
        let found = read(&"Gemfile.lock".into(), &bytes);
        assert_eq!(found.problems, [], "{}", path.display());
        assert!(found.packages.iter().any(|p| p.name == "rails"), "{}", path.display());
        assert!(found.packages.iter().all(|p| p.version.starts_with(|c: char| c.is_ascii_digit())));
        seen += 1;
    }
    assert!(seen >= 58);
}

#[test]
fn a_gemfile() {
    let found = gemfile(
        r#"
source "https://rubygems.org"
ruby "3.2.2", ">= 3"
# gem "commented"
gem "rails", "~> 7.0", ">= 7.0.4" # why
gem 'pg',
    '>= 1.1',
    require: false
gem("puma")
gem "tool", github: "acme/tool", branch: "main"
gem "far", :git => 'https://x.example/far.git', :ref => "abc", :group => [:test, :ci]
gem "near", path: "engines/near" if ENV["NEAR"]
group :development, :test do
  gem "rspec-rails"
  gem "debug", platforms: %i[mri windows], group: %w[extra]
  if RUBY_VERSION > "3"
    gem "guarded"
  end
end
source "https://gems.example" do
  gem "inner"
end
platforms :jruby do
  gem "jdbc"
end
gem "after", group: :default
=begin
gem "hidden"
=end
gem "range-from-env", ENV["X"]
%w[a b].each { |name| gem name }
gem "a#{x}"
__END__
gem "never"
"#,
    );
    let asks: Vec<_> = found
        .asks
        .iter()
        .map(|a| (a.requirement.name.as_str(), a.requirement.range.as_str(), a.groups.join(" ")))
        .collect();
    let plain = |name, range| (name, range, String::new());
    let test = |name| (name, "", "development test".to_owned());
    assert_eq!(
        asks,
        [
            plain("rails", "~> 7.0, >= 7.0.4"),
            plain("pg", ">= 1.1"),
            plain("puma", ""),
            plain("tool", ""),
            ("far", "", "test ci".to_owned()),
            plain("near", ""),
            test("rspec-rails"),
            ("debug", "", "development test extra".to_owned()),
            test("guarded"),
            plain("inner", ""),
            plain("jdbc", ""),
            plain("after", ""),
            plain("range-from-env", ""),
        ]
    );
    assert_eq!(found.asks[9].origin, Origin::Registry("https://gems.example".into()));
    assert_eq!(found.asks[5].origin, Origin::Path("engines/near".into()));
    let Origin::Git { url, reference, .. } = &found.asks[3].origin else { panic!() };
    assert_eq!((url.as_str(), reference.as_str()), ("https://github.com/acme/tool.git", "main"));
    assert_eq!(found.runtimes, [("ruby".to_owned(), "3.2.2, >= 3".to_owned())]);
    let lines: Vec<_> = found.problems.iter().map(|p| p.line.unwrap()).collect();
    assert_eq!(lines, [30, 31, 32], "{:?}", found.problems);
}

#[test]
fn a_gemspec() {
    let found = read_manifest(
        &"tool.gemspec".into(),
        br#"Gem::Specification.new do |spec|
  spec.name = "tool"
  spec.required_ruby_version = ">= 2.7"
  spec.add_dependency "rack", ">= 2", "< 4"
  spec.add_runtime_dependency(%q<rake>.freeze, ["~> 13.0".freeze])
  spec.add_development_dependency "rspec"
  spec.add_dependency name
end
"#,
    );
    let asks: Vec<_> = found
        .asks
        .iter()
        .map(|a| (a.requirement.name.as_str(), a.requirement.range.as_str(), a.groups.join(" ")))
        .collect();
    assert_eq!(
        asks,
        [
            ("rack", ">= 2, < 4", String::new()),
            ("rake", "~> 13.0", String::new()),
            ("rspec", "", "development".into())
        ]
    );
    assert_eq!(found.runtimes, [("ruby".to_owned(), ">= 2.7".to_owned())]);
    assert_eq!(found.problems.len(), 1);
}

#[test]
fn paths() {
    for path in
        ["Gemfile.lock", "a/b/Gemfile.lock", "gems.locked", "Gemfile.next.lock", "a/Gemfile.rails-7.lock"]
    {
        assert!((LOCK.matches)(path), "{path}");
    }
    for path in ["Gemfile", "yarn.lock", "MyGemfile.lock", "Gemfile.lock/x"] {
        assert!(!(LOCK.matches)(path), "{path}");
    }
    assert!((MANIFEST.matches)("engines/x/x.gemspec"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_break_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&"Gemfile.lock".into(), &bytes);
        let _ = read_manifest(&"Gemfile".into(), &bytes);
    }

    #[test]
    fn no_half_lockfile_breaks_the_reader(cut in 0..WHOLE.len(), more in "[ A-Za-z0-9():!<>=,.\n-]{0,40}") {
        let text = format!("{}{more}", &WHOLE[..cut]);
        for package in lock(&text).packages {
            prop_assert!(text.get(package.span.0 as usize..package.span.1 as usize).is_some_and(|s| s.starts_with(&package.name)));
        }
    }

    #[test]
    fn no_half_gemfile_breaks_the_reader(text in "(gem|group|source|do|end|if|\"a\"|'b'|:c|d:|=>|,|\n|%w\\[|\\(|#\\{|\\\\| ){0,40}") {
        for ask in gemfile(&text).asks {
            prop_assert!(text.get(ask.span.0 as usize..ask.span.1 as usize).is_some());
        }
    }
}
