//! What a path says about a file: settings, tests, documents, locks, what programs made.

/// What is known of a file by its path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Tests, fixtures, mocks.
    pub test: bool,
    /// Text for people: only a secret whose form is certain counts.
    pub document: bool,
    /// An example of settings, to be copied and filled in.
    pub example: bool,
    /// Words for people, by language.
    pub locale: bool,
    /// Written by a program: locks, minified code, pictures as text. Only tokens of known form count.
    pub made: bool,
    /// Code of others that was copied in.
    pub vendored: bool,
    /// Settings: values may stand without quotes, and a weak password is a password.
    pub settings: bool,
    /// Shell scripts and the like: values may stand without quotes.
    pub shell: bool,
    /// Settings of which each line is a word and its value, with a space between.
    pub spaced: bool,
    /// A dump of a database.
    pub dump: bool,
}

impl Place {
    /// Looks at a path (with `/` between folders).
    pub fn of(path: &str) -> Place {
        let lower = path.to_ascii_lowercase();
        // A file in an archive is named behind the archive.
        let lower = lower.rsplit('!').next().unwrap_or(&lower);
        let name = lower.rsplit('/').next().unwrap_or(lower);
        let ending = name.rsplit_once('.').map_or("", |(_, e)| e);
        let folders: Vec<&str> = lower.split('/').rev().skip(1).collect();
        let folder = |names: &[&str]| folders.iter().any(|f| names.contains(f));
        let ends = |ends: &[&str]| ends.iter().any(|e| name.ends_with(e));

        let example = ends(&[
            ".example",
            ".sample",
            ".dist",
            ".template",
            ".tmpl",
            ".tpl",
            ".default",
            ".j2",
            ".erb.example",
        ]) || name.contains(".example.")
            || name.contains(".sample.")
            || name.contains("-example.")
            || name.contains("-sample.")
            || name.starts_with("example")
            || name.starts_with("sample")
            || folder(&["example", "examples", "sample", "samples", "demo", "demos", "templates", "stubs"]);
        // What stands behind the last ending of an example is what it is an example of.
        let real = if example { name.rsplit_once('.').map_or(name, |(n, _)| n) } else { name };
        let real_ending = real.rsplit_once('.').map_or("", |(_, e)| e);
        let settings_ending = |e: &str| {
            matches!(
                e,
                "yml"
                    | "yaml"
                    | "ini"
                    | "conf"
                    | "cfg"
                    | "cnf"
                    | "config"
                    | "properties"
                    | "env"
                    | "toml"
                    | "json"
                    | "xml"
                    | "plist"
                    | "tfvars"
                    | "prefs"
                    | "settings"
                    | "rc"
                    | "json5"
                    | "hcl"
                    | "tf"
            )
        };
        let env = name == ".env" || name.starts_with(".env.") || name.ends_with(".env") || name == ".envrc";
        let dotfile = name.starts_with('.') && !name[1..].contains('.');
        Place {
            test: folder(&[
                "test",
                "tests",
                "spec",
                "specs",
                "testing",
                "fixtures",
                "fixture",
                "__tests__",
                "__mocks__",
                "mocks",
                "mock",
                "testdata",
                "test-data",
                "test_data",
                "features",
                "cypress",
                "e2e",
                "selftests",
                "factories",
                "cassettes",
                "vcr_cassettes",
                "unittests",
                "test-fixtures",
                "integration_test",
                "integration-tests",
            ]) || folders.iter().any(|f| {
                f.starts_with("test_")
                    || f.ends_with("_test")
                    || f.ends_with("-tests")
                    || f.ends_with("_tests")
            }) && folders.len() > 1
                || ends(&[
                    "_test.rb",
                    "_spec.rb",
                    "_test.go",
                    "_test.py",
                    "_test.exs",
                    ".test.js",
                    ".spec.js",
                    ".test.ts",
                    ".spec.ts",
                    ".test.tsx",
                    ".spec.tsx",
                    ".test.jsx",
                    ".feature",
                    "_test.c",
                    "test.java",
                    "tests.java",
                    "test.php",
                    "tests.cs",
                    "test.kt",
                    "_factory.rb",
                    ".stories.js",
                    "_test.rs",
                    "tests.rs",
                ])
                || name.contains(".fixture")
                || name.contains(".mock")
                || name.contains("fixtures.")
                || name.starts_with("test_") && !settings_ending(ending)
                || name.starts_with("test-") && !settings_ending(ending),
            document: matches!(
                ending,
                "md" | "markdown"
                    | "rst"
                    | "adoc"
                    | "asciidoc"
                    | "rdoc"
                    | "txt"
                    | "html"
                    | "htm"
                    | "textile"
                    | "tex"
                    | "org"
                    | "pod"
                    | "1"
                    | "3"
                    | "5"
                    | "8"
            ) && !name.starts_with('.')
                && !matches!(
                    name,
                    "secrets.txt"
                        | "passwords.txt"
                        | "password.txt"
                        | "credentials.txt"
                        | "keys.txt"
                        | "tokens.txt"
                )
                || folder(&["doc", "docs", "documentation", "guides", "man"])
                || name.starts_with("readme")
                || name.starts_with("changelog")
                || name.starts_with("changes")
                || name.starts_with("license")
                || name == "news",
            example,
            locale: folder(&["locale", "locales", "i18n", "lang", "langs", "translations", "l10n"])
                || matches!(ending, "po" | "pot" | "strings" | "xlf" | "arb" | "resx"),
            made: is_made(name, ending),
            vendored: folder(&[
                "vendor",
                "node_modules",
                "third_party",
                "thirdparty",
                "bower_components",
                "site-packages",
                "external",
            ]),
            settings: env
                || settings_ending(real_ending)
                || dotfile && !matches!(name, ".gitattributes" | ".mailmap" | ".htaccess")
                || matches!(real, "credentials" | "config" | "proftpdpasswd")
                || folder(&[".aws", ".docker", ".kube", ".ssh", ".gem", ".bundle", ".cargo", ".config"]),
            shell: matches!(
                ending,
                "sh" | "bash" | "zsh" | "fish" | "bat" | "cmd" | "ps1" | "dockerfile" | "mk" | "profile"
            ) || name.starts_with("dockerfile")
                || name == "makefile"
                || name == "procfile"
                || name == "vagrantfile",
            spaced: matches!(
                name,
                ".netrc"
                    | "_netrc"
                    | ".esmtprc"
                    | ".msmtprc"
                    | "msmtprc"
                    | ".fetchmailrc"
                    | ".authinfo"
                    | ".wgetrc"
                    | ".curlrc"
                    | ".ncftprc"
                    | ".mutthrc"
            ) || matches!(ending, "msmtprc" | "netrc"),
            dump: matches!(ending, "sql" | "dump" | "psql" | "mysql"),
        }
    }

    /// Nothing that is only probable counts here.
    pub fn quiet(&self) -> bool {
        self.test || self.document || self.example || self.locale || self.made || self.vendored
    }
}

fn is_made(name: &str, ending: &str) -> bool {
    matches!(
        name,
        "package-lock.json"
            | "npm-shrinkwrap.json"
            | "yarn.lock"
            | "pnpm-lock.yaml"
            | "bun.lock"
            | "gemfile.lock"
            | "cargo.lock"
            | "composer.lock"
            | "poetry.lock"
            | "pipfile.lock"
            | "uv.lock"
            | "pdm.lock"
            | "mix.lock"
            | "pubspec.lock"
            | "go.sum"
            | "packages.lock.json"
            | "gradle.lockfile"
            | "podfile.lock"
            | "flake.lock"
            | "deno.lock"
            | "cartfile.resolved"
            | "package.resolved"
            | "module.modulemap"
            | "verification-metadata.xml"
            | "checksums.txt"
            | "sha256sums"
            | "manifest.json.lock"
    ) || matches!(
        ending,
        "svg"
            | "css"
            | "scss"
            | "less"
            | "map"
            | "lock"
            | "csv"
            | "tsv"
            | "ipynb"
            | "snap"
            | "sum"
            | "sha256"
            | "sha512"
            | "sha1"
            | "md5"
            | "patch"
            | "diff"
            | "ldif"
            | "geojson"
            | "dts"
            | "dtsi"
            | "eps"
            | "ps"
            | "ai"
            | "wsdl"
            | "afm"
            | "obj"
            | "hex"
            | "ihex"
    ) || name.ends_with(".min.js")
        || name.ends_with(".bundle.js")
        || name.ends_with("-min.js")
        || name.ends_with(".pb.go")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_files() {
        assert!(Place::of("test/fixtures/users.yml").test);
        assert!(Place::of("spec/models/user_spec.rb").test);
        assert!(!Place::of("app/models/contest.rb").test);
        assert!(Place::of("config/locales/de.yml").locale);
        assert!(Place::of("Gemfile.lock").made && Place::of("a/b/x.min.js").made);
        let example = Place::of("config/database.yml.example");
        assert!(example.example && example.settings);
        for settings in
            [".env", "web/.env.production", "db/mongoid.yml", ".netrc", ".docker/config.json", "config"]
        {
            let place = Place::of(settings);
            assert!(place.settings && !place.quiet(), "{settings}");
        }
        assert!(Place::of("README.md").document && !Place::of("config/settings.yml").document);
        assert!(Place::of("x/backup.zip!conf/app.ini").settings);
    }
}
