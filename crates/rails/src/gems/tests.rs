use super::*;

const LOCK: &str = "\
GIT
  remote: https://github.com/example/widget.git
  revision: 0123abc
  branch: main
  specs:
    widget (0.4.0)
      rails (>= 6)

PATH
  remote: engines/shop
  specs:
    shop (1.0.0)

GEM
  remote: http://rubygems.org/
  specs:
    actionpack (6.1.7.3)
      rack (~> 2.0, >= 2.0.9)
    diff-lcs (1.5.0)
    nokogiri (1.15.4-x86_64-linux)
    nokogiri (1.15.4-arm64-darwin)
    rack (2.2.8)
    rails (6.1.7.3)
      actionpack (= 6.1.7.3)
    rspec (3.12.0)
      diff-lcs (>= 1.2.0)
      rack

PLATFORMS
  ruby
  x86_64-linux

DEPENDENCIES
  rails (~> 6.1.7)
  rspec
  shop!
  widget!

RUBY VERSION
   ruby 3.2.2p53

BUNDLED WITH
   2.4.19
";

const GEMFILE: &str = r#"
source "https://rubygems.org"
ruby ">= 3.1"
gem "rails", "~> 6.1.7"
gem "widget", github: "example/widget", branch: "main"
gem "pg", ["~> 1.1", ">= 1.1.4"]
gem 'debugger', :platform => :mri_19, :group => [:development, :test]
group :test do
  gem "rspec"
end
path "engines" do
  gem "shop"
end
if ENV["MYSQL"]
  gem "mysql2", "~> 0.5", require: false
end
"#;

fn tree(source: &str) -> Node {
    wardroom_ruby::parse(source.as_bytes()).body
}

fn gems_of(path: &str, source: &str) -> Gems {
    Gems::read(&[(0, path, &tree(source))], &[])
}

#[test]
fn a_lock_file_and_its_gemfile() {
    let gemfile = tree(GEMFILE);
    let gems = Gems::read(&[(7, "Gemfile", &gemfile)], &[("Gemfile.lock", LOCK), (".ruby-version", "3.0.0")]);
    assert_eq!(gems.locked["nokogiri"], "1.15.4");
    assert_eq!(gems.locked.len(), 8);
    assert_eq!(gems.ruby.as_deref(), Some("3.2.2"));
    assert_eq!(gems.platforms, ["ruby", "x86_64-linux"]);
    assert_eq!(gems.bundler.as_deref(), Some("2.4.19"));
    assert_eq!(gems.remotes, ["http://rubygems.org/"]);
    assert_eq!(gems.sources["shop"], GemSource::Path("engines/shop".into()));
    assert_eq!(
        gems.sources["widget"],
        GemSource::Git("https://github.com/example/widget.git".into(), Some("0123abc".into()))
    );
    assert!(gems.direct.contains("shop") && !gems.direct.contains("rack"));
    assert_eq!(gems.rails_text(), Some(("6.1.7.3".into(), RailsEvidence::Locked)));
    assert_eq!(gems.rails_version(), Some(Version(6, 1, 7)));
    assert!(gems.at_least("rack", "2.2.8") && !gems.at_least("rack", "2.2.8.1"));
    assert!(gems.older_than("rails", "6.1.7.4") && !gems.older_than("rails", "6.1.7.3"));
    assert!(!gems.at_least("puma", "1") && !gems.older_than("puma", "99"));
    // In the Gemfile alone: its lowest version counts.
    assert!(gems.at_least("pg", "1.1.4") && gems.older_than("pg", "1.2"));
    assert!(gems.declared["mysql2"].conditional && !gems.declared["pg"].conditional);
    assert_eq!(gems.declared["shop"].source, Some(GemSource::Path("engines".into())));
    assert_eq!(gems.declared["pg"].file, 7);
}

#[test]
fn gems_for_tests_are_not_in_production() {
    let gemfile = tree(GEMFILE);
    let gems = Gems::read(&[(0, "Gemfile", &gemfile)], &[("Gemfile.lock", LOCK)]);
    assert!(gems.has("rspec") && !gems.has_in_production("rspec"));
    // Only rspec pulls it in.
    assert!(gems.has("diff-lcs") && !gems.has_in_production("diff-lcs"));
    // Both rspec and rails do.
    assert!(gems.has_in_production("rack"));
    assert!(gems.declared["debugger"].development_only() && !gems.has_in_production("debugger"));
    assert!(!gems.has_in_production("puma"));
}

#[test]
fn groups_that_production_loads() {
    let gemfile = tree(
        "gem 'plain'\ngroup(:production) { gem 'live' }\ngroup(:assets) { gem 'sass' }\ngroup(:web, :development) { gem 'web-console' }\ngroup(:staging) { gem 'pghero' }\n",
    );
    let loaded = |application: &str| {
        let application = tree(application);
        let gems = Gems::read(&[(0, "Gemfile", &gemfile), (1, "config/application.rb", &application)], &[]);
        ["plain", "live", "sass", "web-console", "pghero"]
            .into_iter()
            .filter(|g| gems.has_in_production(g))
            .collect::<Vec<_>>()
    };
    assert_eq!(loaded("Bundler.require(*Rails.groups)"), ["plain", "live"]);
    assert_eq!(loaded("Bundler.require(:default, Rails.env)"), ["plain", "live"]);
    assert_eq!(loaded("Bundler.require(:default, :web, Rails.env)"), ["plain", "live", "web-console"]);
    assert_eq!(
        loaded("Bundler.require(*Rails.groups(assets: %w[development test], web: %w[production]))"),
        ["plain", "live", "web-console"]
    );
    // What the code makes at run time is not known: groups that sound like production count.
    assert_eq!(loaded("Bundler.require(*groups)"), ["plain", "live", "sass", "web-console", "pghero"]);
}

#[test]
fn rails_without_a_lock_file() {
    let text = |path, source| gems_of(path, source).rails_text();
    use RailsEvidence::{Environment, Idiom, LoadDefaults, Requirement};
    assert_eq!(
        text("Gemfile", "gem 'rails', ['~> 7.1.5', '>= 7.1.5.2']"),
        Some(("7.1.5.2".into(), Requirement))
    );
    assert_eq!(text("Gemfile", "gem 'rails', '< 5'"), None);
    assert_eq!(
        text("x.gemspec", "Gem::Specification.new { |s| s.add_dependency 'railties', '>= 5.2', '< 8' }"),
        Some(("5.2".into(), Requirement))
    );
    assert_eq!(
        text("config/environment.rb", "RAILS_GEM_VERSION = '2.3.5' unless defined? RAILS_GEM_VERSION"),
        Some(("2.3.5".into(), Environment))
    );
    assert_eq!(
        text("config/application.rb", "class A < Rails::Application; config.load_defaults 7.0; end"),
        Some(("7.0.0".into(), LoadDefaults))
    );
    assert_eq!(
        text("config/routes.rb", "ActionController::Routing::Routes.draw { |map| map.root }"),
        Some(("2.0.0".into(), Idiom))
    );
    assert_eq!(text("config/routes.rb", "Shop::Application.routes.draw { }"), Some(("3.0.0".into(), Idiom)));
    assert_eq!(text("config/routes.rb", "puts 1"), None);
}

#[test]
fn gems_before_bundler() {
    let gems = gems_of(
        "config/environment.rb",
        "Rails::Initializer.run do |config|\n config.gem 'rubytree', :lib => 'tree', :version => '>= 0.5'\nend",
    );
    assert!(gems.has("rubytree"));
    assert_eq!(gems.version("rubytree"), Some(Version(0, 5, 0)));
}

#[test]
fn versions_of_ruby() {
    let ruby = |name: &str, text: &str| Gems::read(&[], &[(name, text)]).ruby;
    assert_eq!(ruby(".ruby-version", "ruby-3.4.9\n").as_deref(), Some("3.4.9"));
    assert_eq!(ruby(".ruby-version", "# pinned\n2.1.10@shop\n").as_deref(), Some("2.1.10"));
    assert_eq!(ruby(".ruby-version", "ree-1.8.7-2011.03").as_deref(), Some("ree-1.8.7-2011.03"));
    assert_eq!(ruby(".tool-versions", "nodejs 20.1\nruby 3.3.0 system\n").as_deref(), Some("3.3.0"));
    assert_eq!(ruby(".tool-versions", "nodejs 20.1\n"), None);
    assert_eq!(gems_of("Gemfile", "ruby '1.9.3'").ruby.as_deref(), Some("1.9.3"));
    assert_eq!(Version::parse("ree-1.8.7-2011.03"), Some(Version(1, 8, 7)));
    assert_eq!(Version::parse("8"), Some(Version(8, 0, 0)));
    assert_eq!(Version::parse("none"), None);
}

#[test]
fn versions_compare_as_in_rubygems() {
    use Ordering::{Equal, Greater, Less};
    for (a, b, order) in [
        ("1.10", "1.9", Greater),
        ("1.0", "1.0.0", Equal),
        ("7.0.0.rc1", "7.0.0", Less),
        ("7.0.0.rc2", "7.0.0.rc1", Greater),
        ("7.0.0.beta1", "7.0.0.rc1", Less),
        ("5.2.4.3", "5.2.4.10", Less),
        ("1.0.a", "1.0.1", Less),
    ] {
        assert_eq!(compare(a, b), order, "{a} {b}");
    }
}

#[test]
fn broken_lock_files_are_read_as_far_as_they_go() {
    let text = "GEM\n  specs:\n<<<<<<< HEAD\n    rack (2.2.3)\n=======\n    rack (2.2.4)\n>>>>>>> x\n    (\n    odd (\n\n\u{0}\nDEPENDENCIES\n  rack";
    let gems = Gems::read(&[], &[("Gemfile.lock", text)]);
    assert_eq!(gems.locked["rack"], "2.2.3");
    assert!(gems.direct.contains("rack"));
}

#[test]
fn a_gem_with_very_many_needs_takes_linear_time() {
    let needs: String = (0..100_000).map(|n| format!("      b{n}\n")).collect();
    let text = format!("GEM\n  specs:\n    a (1)\n{needs}    a (1-java)\n      b0\n");
    let start = std::time::Instant::now();
    let gems = Gems::read(&[], &[("Gemfile.lock", &text)]);
    assert_eq!(gems.needs["a"].len(), 100_000);
    assert!(start.elapsed() < std::time::Duration::from_secs(10), "{:?}", start.elapsed());
}
