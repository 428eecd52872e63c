use super::*;

fn read(files: &[(&str, &str)]) -> Config {
    read_with(files, "gem 'rails', '7.1.3'")
}

fn read_with(files: &[(&str, &str)], gemfile: &str) -> Config {
    let tree = |source: &str| wardroom_ruby::parse(source.as_bytes()).body;
    let gems = Gems::read(&[(0, "Gemfile", &tree(gemfile))], &[]);
    let trees: Vec<_> = files.iter().map(|(path, source)| (*path, tree(source))).collect();
    let ruby: Vec<_> = trees.iter().enumerate().map(|(i, (path, node))| (i as u32, *path, node)).collect();
    Config::read(&ruby, &gems)
}

fn value(config: &Config, key: &str) -> SettingValue {
    config.effective(key).map_or(SettingValue::Nil, |e| e.value)
}

#[test]
fn every_spelling_of_a_setting() {
    let config = read(&[
        (
            "config/application.rb",
            "module Shop
  class Application < Rails::Application
    config.load_defaults 7.0
    config.action_dispatch.cookies_serializer = :hybrid
    config.x.limit = 5
    config.middleware.use Rack::Attack
    config.middleware.delete 'Rack::ETag'
    initializer 'late' do |app|
      app.config.from_app = 1
    end
    config.generators { |g| g.helper false }
    mailer = config.action_mailer
    mailer.raise_delivery_errors = true
  end
end",
        ),
        (
            "config/initializers/a.rb",
            "Rails.application.config.one = 'x'
Shop::Application.config.two = ENV['TWO']
Rails.configuration.three = ENV.fetch('THREE') { 'c' }
ActionController::Base.four = nil
ActiveSupport::JSON.five = true
ActiveSupport.on_load(:action_controller) do
  wrap_parameters format: [:json]
  self.six = :y
end
Devise.setup do |config|
  config.password_length = 6..20
  config.stretches = Rails.env.test? ? 1 : 11
  config.omniauth :github, 'id', 'sec', scope: 'user'
end
Doorkeeper.configure do
  force_ssl_in_redirect_uri false
  use_refresh_token
  resource_owner_authenticator { current_user }
end
Rails.application.config.tap { |c| }
LIMIT = 3
Rails.application.config.seven = LIMIT
Rails.application.config.hash = { a: 1.hour, **REST, 'b' => [LIMIT] }
Rails.application.config.action_dispatch.default_headers['X-Frame-Options'] = 'DENY'
Rails.application.config.action_dispatch.default_headers.merge!('X-New' => '1')
Rails.application.config.action_dispatch.default_headers.delete('X-Download-Options')",
        ),
    ]);
    let text = |t: &str| SettingValue::Str(t.into());
    assert_eq!(value(&config, "action_dispatch.cookies_serializer"), SettingValue::Sym("hybrid".into()));
    assert_eq!(value(&config, "x.limit"), SettingValue::Int(5));
    assert_eq!(value(&config, "from_app"), SettingValue::Int(1));
    assert_eq!(value(&config, "generators.helper"), SettingValue::Bool(false));
    assert_eq!(value(&config, "action_mailer.raise_delivery_errors"), SettingValue::Bool(true));
    assert_eq!(value(&config, "one"), text("x"));
    assert_eq!(value(&config, "two"), SettingValue::Env { name: "TWO".into(), default: None });
    assert_eq!(
        value(&config, "three"),
        SettingValue::Env { name: "THREE".into(), default: Some(Box::new(text("c"))) }
    );
    assert!(config.last("action_controller.four").is_some());
    assert_eq!(value(&config, "active_support.five"), SettingValue::Bool(true));
    assert_eq!(value(&config, "action_controller.six"), SettingValue::Sym("y".into()));
    assert_eq!(
        value(&config, "action_controller.wrap_parameters").get("format"),
        Some(&SettingValue::List(vec![SettingValue::Sym("json".into())]))
    );
    assert!(matches!(value(&config, "devise.password_length"), SettingValue::Expr(_)));
    assert_eq!(value(&config, "devise.stretches"), SettingValue::Int(11));
    assert_eq!(value(&config, "devise.omniauth").items().len(), 4);
    assert_eq!(value(&config, "doorkeeper.force_ssl_in_redirect_uri"), SettingValue::Bool(false));
    assert_eq!(value(&config, "doorkeeper.use_refresh_token"), SettingValue::Bool(true));
    assert!(config.last("doorkeeper.resource_owner_authenticator").is_some());
    assert_eq!(value(&config, "seven"), SettingValue::Int(3));
    assert_eq!(value(&config, "hash").get("a"), Some(&SettingValue::Int(3600)));
    assert_eq!(config.below("doorkeeper.").count(), 3);
    assert_eq!(config.middleware.len(), 2);
    assert!(config.middleware[0].names("Rack::Attack") && config.middleware[1].names("Rack::ETag"));
    let headers = config.response_headers();
    assert_eq!(headers["x-frame-options"], text("DENY"));
    assert_eq!(headers["x-new"], text("1"));
    assert_eq!(headers["x-xss-protection"], text("0"));
    assert!(!headers.contains_key("x-download-options"));
}

#[test]
fn later_places_win_and_other_environments_do_not_count() {
    let config = read(&[
        ("config/initializers/b.rb", "Rails.application.config.c = 3"),
        ("config/environments/development.rb", "Rails.application.configure { config.a = 8; config.c = 8 }"),
        (
            "config/environments/production.rb",
            "Rails.application.configure do\n config.a = 2\n config.b = 2\n config.c = 2\nend",
        ),
        (
            "config/application.rb",
            "class A < Rails::Application\n config.a = 1\n config.b = 1\n config.after_initialize { config.d = 4 }\n config.d = 1\nend",
        ),
        ("config/routes.rb", "config.a = 9"),
        ("spec/dummy/config/initializers/x.rb", "Rails.application.config.a = 9"),
    ]);
    assert_eq!(value(&config, "a"), SettingValue::Int(2));
    assert_eq!(value(&config, "b"), SettingValue::Int(2));
    assert_eq!(value(&config, "c"), SettingValue::Int(3));
    assert_eq!(value(&config, "d"), SettingValue::Int(4));
    assert_eq!(config.effective_in("a", "development").map(|e| e.value), Some(SettingValue::Int(8)));
    assert_eq!(config.all("a").count(), 3);
}

#[test]
fn conditions() {
    let config = read(&[(
        "config/initializers/x.rb",
        "c = Rails.application.config
if Rails.env.production?
  c.a = 1
else
  c.b = 1
end
unless Rails.env.development? || Rails.env.test?
  c.d = 1
end
c.e = 1 if ENV['E']
c.f = 1 unless %w[development test].include?(Rails.env)
c.g = 1 if Rails.env.local?
case Rails.env
when 'production' then c.h = 1
when 'test' then c.h = 2
end
c.i = !Rails.env.development?
c.k = 1 if Rails.env == 'demo'
begin
  c.l = 1
rescue LoadError
  c.l = 2
end",
    )]);
    let at = |key: &str| config.all(key).map(|s| (s.environment.clone(), s.conditional)).collect::<Vec<_>>();
    let only = |e: &str| Some(e.to_owned());
    assert_eq!(at("a"), [(only("production"), false)]);
    assert_eq!(at("b"), [(only("development"), false)]);
    // In production and in environments of other names.
    assert_eq!(at("d"), [(None, false)]);
    assert_eq!(at("e"), [(None, true)]);
    assert_eq!(at("f"), [(None, false)]);
    assert_eq!(at("g"), [(only("development"), false)]);
    assert_eq!(at("h"), [(only("production"), false), (only("test"), false)]);
    assert_eq!(value(&config, "h"), SettingValue::Int(1));
    assert_eq!(value(&config, "i"), SettingValue::Bool(true));
    assert_eq!(at("k"), [(only("other"), false)]);
    assert_eq!(at("l"), [(None, false), (None, true)]);
    assert!(!config.effective("e").is_some_and(|e| e.certain));
    assert!(config.effective("a").is_some_and(|e| e.certain));
}

#[test]
fn lists_grow_and_shrink() {
    let config = read(&[(
        "config/application.rb",
        "class A < Rails::Application
  config.filter_parameters += [:password, /key/]
  config.filter_parameters << :token
  config.filter_parameters |= %i[otp]
  config.hosts << 'a.example'
  config.hosts.push 'b.example'
  config.hosts -= ['a.example']
  config.list = [1]
  config.list.clear
  config.once ||= 1
  config.once ||= 2
end",
    )]);
    let filters = config.filter_parameters();
    let names: Vec<_> = filters.iter().filter_map(SettingValue::as_text).collect();
    assert_eq!(names, ["password", "token", "otp"]);
    assert_eq!(filters.len(), 4);
    assert_eq!(
        config.hosts().map(|e| e.value),
        Some(SettingValue::List(vec![SettingValue::Str("b.example".into())]))
    );
    assert_eq!(value(&config, "list"), SettingValue::List(vec![]));
    assert_eq!(value(&config, "once"), SettingValue::Int(1));
    assert!(read(&[]).hosts().is_none());
}

#[test]
fn defaults_follow_load_defaults_and_the_release() {
    let with = |version: &str| {
        read(&[(
            "config/application.rb",
            &format!("class A < Rails::Application\n config.load_defaults {version}\nend"),
        )])
    };
    let none = read(&[]);
    let csrf = "action_controller.default_protect_from_forgery";
    assert_eq!(none.flag(csrf), Some(false));
    assert_eq!(with("5.1").flag(csrf), Some(false));
    assert_eq!(with("'5.2'").flag(csrf), Some(true));
    assert_eq!(with("6.1").load_defaults, Some(Version(6, 1, 0)));
    let serializer = |c: &Config| value(c, "action_dispatch.cookies_serializer");
    assert_eq!(serializer(&none), SettingValue::Sym("marshal".into()));
    assert_eq!(serializer(&with("6.1")), SettingValue::Sym("marshal".into()));
    assert_eq!(serializer(&with("7.0")), SettingValue::Sym("json".into()));
    let same_site = |c: &Config| value(c, "action_dispatch.cookies_same_site_protection");
    assert_eq!(same_site(&with("6.0")), SettingValue::Nil);
    assert_eq!(same_site(&with("6.1")), SettingValue::Sym("lax".into()));
    assert_eq!(with("6.1").flag("action_controller.raise_on_open_redirects"), Some(false));
    assert_eq!(with("7.0").flag("action_controller.raise_on_open_redirects"), Some(true));
    assert_eq!(none.flag("force_ssl"), Some(false));
    // Rails 3 knows no default headers.
    let old = read_with(&[], "gem 'rails', '3.2.8'");
    assert!(old.response_headers().is_empty());
    assert_eq!(old.flag(csrf), None);
    let new = read_with(
        &[("config/application.rb", "class A < Rails::Application; config.load_defaults '8.1'; end")],
        "gem 'rails', '8.1.0'",
    );
    assert_eq!(new.flag("action_controller.escape_json_responses"), Some(false));
    assert_eq!(value(&new, "action_controller.action_on_open_redirect"), SettingValue::Sym("raise".into()));
    assert!(!new.response_headers().contains_key("x-download-options"));
    assert_eq!(turned_on_by(8, 0).count(), 2);
}

#[test]
fn force_ssl_and_its_forerunners() {
    let ssl = |path: &str, source: &str| {
        read_with(&[(path, source)], "gem 'rails', '3.0.11'").force_ssl().and_then(|e| e.value.as_bool())
    };
    assert_eq!(
        ssl("config/environments/production.rb", "Shop::Application.configure { config.force_ssl = true }"),
        Some(true)
    );
    assert_eq!(
        ssl("config/environments/development.rb", "Shop::Application.configure { config.force_ssl = true }"),
        Some(false)
    );
    assert_eq!(
        ssl("config/initializers/ssl.rb", "Rails.application.config.middleware.insert_before 0, Rack::SSL"),
        Some(true)
    );
    assert_eq!(ssl("config/environments/production.rb", "config.force_ssl = X"), None);
}

#[test]
fn sessions_new_and_old() {
    let session = |path: &str, source: &str| read(&[(path, source)]).session();
    let new = session(
        "config/initializers/session_store.rb",
        "name = '_shop'\nRails.application.config.session_store :cookie_store, key: name, secure: Rails.env.production?, httponly: false, same_site: :none, expire_after: 2.weeks",
    )
    .expect("a session");
    assert_eq!(new.store.as_deref(), Some("cookie_store"));
    assert!(new.in_cookie());
    assert_eq!(new.option("key"), Some(&SettingValue::Str("_shop".into())));
    assert_eq!(new.option("secure"), Some(&SettingValue::Bool(true)));
    assert_eq!(new.option("httponly"), Some(&SettingValue::Bool(false)));
    assert_eq!(new.option("same_site"), Some(&SettingValue::Sym("none".into())));
    assert_eq!(new.option("expire_after"), Some(&SettingValue::Int(1_209_600)));
    let old = session(
        "config/environment.rb",
        "Rails::Initializer.run do |config|\n config.action_controller.session = { :session_key => '_x', :secret => 'abcdefghijkl' }\nend",
    )
    .expect("a session");
    assert_eq!((old.store.as_deref(), old.option("key")), (None, Some(&SettingValue::Str("_x".into()))));
    assert!(old.in_cookie());
    let base = session(
        "config/initializers/session_store.rb",
        "ActionController::Base.session = { :key => '_y' }\nActionController::Base.session_store = :active_record_store\nActionController::Base.session_options[:session_http_only] = true",
    )
    .expect("a session");
    assert_eq!(base.store.as_deref(), Some("active_record_store"));
    assert!(!base.in_cookie());
    assert_eq!(base.option("key"), Some(&SettingValue::Str("_y".into())));
    assert_eq!(base.option("httponly"), Some(&SettingValue::Bool(true)));
    assert_eq!(session("config/environments/test.rb", "config.session_store :x"), None);
}

#[test]
fn secrets_that_stand_in_the_code() {
    let config = read(&[
        (
            "config/initializers/secret_token.rb",
            "Shop::Application.config.secret_token = '0123456789abcdef'\nShop::Application.config.secret_key_base = ENV['SECRET'] || 'fallback-secret'\nAPI_KEY = 'sk_live_12345678'",
        ),
        (
            "config/initializers/session_store.rb",
            "ActionController::Base.session = { :key => '_long_session_key', :secret => 'fedcba9876543210' }",
        ),
        ("config/environments/test.rb", "config.secret_key_base = 'only for tests'"),
        (
            "config/initializers/devise.rb",
            "Devise.setup do |c|\n c.pepper = 'peppercorns!'\n c.secret_key = ENV['X']\n c.mailer_sender = 'please-change-me@example.com'\nend",
        ),
    ]);
    let found: Vec<_> =
        config.secrets().into_iter().map(|s| (s.key, s.value, s.environment.is_some())).collect();
    let expected = [
        ("secret_key_base", "only for tests", true),
        ("devise.pepper", "peppercorns!", false),
        ("secret_token", "0123456789abcdef", false),
        ("secret_key_base", "fallback-secret", false),
        ("API_KEY", "sk_live_12345678", false),
        ("action_controller.session.secret", "fedcba9876543210", false),
    ];
    assert_eq!(found, expected.map(|(k, v, e)| (k.to_owned(), v.to_owned(), e)));
}

#[test]
fn content_security_policies() {
    let config = read(&[(
        "config/initializers/csp.rb",
        "extra = [:self, 'cdn.example']
extra << Settings.host
Rails.application.configure do
  config.content_security_policy do |policy|
    policy.default_src :self, :https
    policy.script_src(*extra)
    policy.style_src :self, :unsafe_inline
    policy.connect_src :self, 'ws://localhost' if Rails.env.development?
    policy.img_src :self
    policy.img_src :data if ENV['IMAGES']
    policy.object_src :none
    policy.frame_ancestors false
  end
  config.content_security_policy_nonce_generator = ->(request) { SecureRandom.base64(16) }
  config.content_security_policy_report_only = true
end",
    )]);
    let csp = config.csp().expect("a policy");
    assert_eq!(csp.directive("default-src"), Some(["'self'".to_owned(), "https:".to_owned()].as_slice()));
    assert_eq!(csp.directive("script-src").map(<[_]>::len), Some(3));
    assert_eq!(csp.directive("script-src").map(|s| s[2].as_str()), Some(Csp::DYNAMIC));
    assert_eq!(csp.directive("style-src").map(|s| s[1].as_str()), Some("'unsafe-inline'"));
    assert_eq!(csp.directive("connect-src"), None);
    assert_eq!(csp.sources("connect-src"), csp.directive("default-src"));
    assert_eq!(csp.directive("img-src"), Some(["'self'".to_owned(), "data:".to_owned()].as_slice()));
    assert_eq!(csp.directive("frame-ancestors"), None);
    assert!(csp.nonce && csp.report_only && !csp.conditional);
    let gem = read(&[(
        "config/initializers/secure_headers.rb",
        "SecureHeaders::Configuration.default do |config|
  config.x_frame_options = 'DENY'
  config.csp = { default_src: %w['self'], script_src: [\"'self'\", \"'unsafe-eval'\", HOST], report_only: false }
end",
    )]);
    let csp = gem.csp().expect("a policy");
    assert_eq!(csp.directives.len(), 2);
    assert_eq!(csp.directive("script-src").map(|s| s[1].as_str()), Some("'unsafe-eval'"));
    assert!(!csp.report_only);
    assert_eq!(value(&gem, "secure_headers.x_frame_options"), SettingValue::Str("DENY".into()));
    assert!(read(&[]).csp().is_none());
}

#[test]
fn cors_rules() {
    let config = read(&[(
        "config/initializers/cors.rb",
        "Rails.application.config.middleware.insert_before 0, Rack::Cors do
  allow do
    origins '*'
    resource '/api/*', headers: :any, methods: [:get, :post]
  end
  allow do
    origins 'https://a.example', /\\.b\\.example/
    resource '*', credentials: true
  end
  allow do
    origins { |source, env| true }
    resource '*', credentials: ENV['C']
  end
  if Rails.env.development?
    allow { origins '*'; resource '*' }
  end
end",
    )]);
    assert_eq!(config.cors.len(), 4);
    assert!(config.cors[0].any_origin());
    assert_eq!(config.cors[0].resources[0].methods.len(), 2);
    assert_eq!(config.cors[0].resources[0].credentials, None);
    assert!(!config.cors[1].any_origin());
    assert_eq!(config.cors[1].origins.len(), 2);
    assert_eq!(config.cors[1].resources[0].credentials, Some(SettingValue::Bool(true)));
    assert!(config.cors[2].origin_block.is_some());
    assert_eq!(config.cors[3].environment.as_deref(), Some("development"));
}

#[test]
fn values_that_double_stay_small() {
    let mut source = String::from("a = ['x', 'y']\nt = 'long text'\n");
    for _ in 0..60 {
        source.push_str("a = [a, a]\na << a\nt = \"#{t}#{t}\"\n");
    }
    source.push_str("Rails.application.config.x = a\nRails.application.config.y = t");
    let config = read(&[("config/initializers/x.rb", &source)]);
    assert_eq!(config.settings.len(), 2);
    assert!(config.settings.iter().all(|s| s.value.weight() < 2000));
}

#[test]
fn load_defaults_of_the_installed_version() {
    let config = read(&[(
        "config/application.rb",
        "class A < Rails::Application\n config.load_defaults Rails::VERSION::STRING.to_f\nend",
    )]);
    assert_eq!(config.load_defaults, Some(Version(7, 1, 3)));
}
