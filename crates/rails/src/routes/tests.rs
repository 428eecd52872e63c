//! Small routes files and the table that `rails routes` would print for them.

use super::*;

fn routes_of(sources: &[(&str, &str)], settings: &Settings<'_>) -> (Vec<String>, Vec<String>) {
    let parsed: Vec<_> = sources.iter().map(|(_, text)| wardroom_ruby::parse(text.as_bytes())).collect();
    let files: Vec<RouteFile<'_>> = sources
        .iter()
        .zip(&parsed)
        .enumerate()
        .map(|(i, ((path, _), parsed))| RouteFile { index: i as u32, path, body: &parsed.body })
        .collect();
    let routes = read(&files, settings, None);
    let lines = routes.routes.iter().map(line).collect();
    (lines, routes.problems.into_iter().map(|(_, _, message)| message).collect())
}

fn line(route: &Route) -> String {
    let mut text = format!("{} {} {}", route.verb.as_str(), route.path, route.target);
    if let Some(name) = &route.name {
        text.push_str(&format!(" :{name}"));
    }
    if !route.guards.is_empty() {
        text.push_str(&format!(" [{}]", route.guards.join(" ")));
    }
    for (set, word) in [(route.authenticated, " authenticated"), (route.development, " development")] {
        if set {
            text.push_str(word);
        }
    }
    text
}

/// The routes inside one draw block, with no problem allowed.
fn draw(body: &str) -> Vec<String> {
    let text = format!("Rails.application.routes.draw do\n{body}\nend\n");
    let (lines, problems) = routes_of(&[("config/routes.rb", &text)], &Settings::default());
    assert!(problems.is_empty(), "{problems:?}");
    lines
}

fn draw_in(rails: (u32, u32), text: &str) -> Vec<String> {
    let (lines, problems) =
        routes_of(&[("config/routes.rb", text)], &Settings { rails, ..Settings::default() });
    assert!(problems.is_empty(), "{problems:?}");
    lines
}

#[test]
fn resources_make_seven_actions() {
    assert_eq!(
        draw("resources :users"),
        [
            "GET /users users#index :users",
            "POST /users users#create",
            "GET /users/new users#new :new_user",
            "GET /users/:id/edit users#edit :edit_user",
            "GET /users/:id users#show :user",
            "PATCH /users/:id users#update",
            "PUT /users/:id users#update",
            "DELETE /users/:id users#destroy",
        ]
    );
    assert_eq!(
        draw(
            "resource :profile, only: %i[show update], controller: 'people'
             resource :mood, only: :show, as: 'temper'
             scope(only: :index) { resources :cats; resources(:dogs, only: :show) { resources :toys } }"
        ),
        [
            "GET /profile people#show :profile",
            "PATCH /profile people#update",
            "PUT /profile people#update",
            "GET /mood moods#show :temper",
            "GET /cats cats#index :cats",
            "GET /dogs/:dog_id/toys toys#index :dog_toys",
            "GET /dogs/:id dogs#show :dog",
        ]
    );
}

#[test]
fn old_rails_has_no_patch() {
    let text =
        "Foo::Application.routes.draw do\n resources :users, :only => :update\n match 'a' => 'b#c'\nend";
    assert_eq!(draw_in((3, 2), text), ["PUT /users/:id users#update :user", "ANY /a b#c :a"]);
}

#[test]
fn members_collections_and_nesting() {
    assert_eq!(
        draw(
            "resources :posts, only: [:index], path: 'articles', param: :slug do
               member { post :publish; get 'raw-text' }
               collection { get :search }
               get :preview, on: :member
               put :order, on: :collection
               get :draft, on: :new
               get :stats
               resources :comments, only: :show, controller: 'remarks'
               namespace(:x) { resource :y, only: :show }
             end"
        ),
        [
            "POST /articles/:slug/publish posts#publish :publish_post",
            "GET /articles/:slug/raw-text posts#raw_text :raw_text_post",
            "GET /articles/search posts#search :search_posts",
            "GET /articles/:slug/preview posts#preview :preview_post",
            "PUT /articles/order posts#order :order_posts",
            "GET /articles/new/draft posts#draft :draft_new_post",
            "GET /articles/:post_slug/stats posts#stats :post_stats",
            "GET /articles/:post_slug/comments/:id remarks#show :post_comment",
            "GET /articles/:post_slug/x/y x/ies#show :post_x_y".replace("x/ies", "x/ys").as_str(),
            "GET /articles posts#index :posts",
        ]
    );
}

#[test]
fn shallow_nesting_keeps_short_paths() {
    let lines = draw(
        "resources :posts, only: [], shallow: true do
           resources :comments, only: [:index, :show] do
             resources :likes, only: [:create, :destroy]
           end
         end",
    );
    assert_eq!(
        lines,
        [
            "POST /comments/:comment_id/likes likes#create :comment_likes",
            "DELETE /likes/:id likes#destroy :like",
            "GET /posts/:post_id/comments comments#index :post_comments",
            "GET /comments/:id comments#show :comment",
        ]
    );
}

#[test]
fn scopes_change_path_module_and_name() {
    assert_eq!(
        draw(
            "namespace :admin do
               root to: 'home#index'
               resources :users, only: :index
             end
             scope '/api', module: 'api', as: :api, defaults: { format: :json } do
               get 'ping', to: 'status#ping'
               get 'out', to: '/other#out'
             end
             scope '(:locale)', locale: /en|de/ do
               get 'about', to: 'pages#about'
             end
             scope controller: :session, path: 'session' do
               get :new
               post '/', action: :create
             end
             controller(:things) { get 'thing/list' => :list }
             namespace(:v1, path: '', as: nil) { get 'x', to: 'y#x' }"
        ),
        [
            "GET /admin admin/home#index :admin_root",
            "GET /admin/users admin/users#index :admin_users",
            "GET /api/ping api/status#ping :api_ping",
            "GET /api/out other#out :api_out",
            "GET (/:locale)/about pages#about :about",
            "GET /session/new session#new :new",
            "POST /session session#create",
            "GET /thing/list things#list :thing_list",
            "GET /x v1/y#x :x",
        ]
    );
}

#[test]
fn single_routes_in_every_spelling() {
    assert_eq!(
        draw(
            "get 'a' => 'b#c', as: 'named'
             get 'users/list'
             get '/one', '/two', to: 'x#y'
             match 'both', to: 'x#both', via: [:get, :post]
             match 'all', to: 'x#all', via: :all
             get 'old', to: redirect('/new')
             get 'rack', to: ->(env) { [200, {}, []] }
             get 'app' => HealthCheck
             get 'direct', to: UsersController.action(:show)
             get 'files/*path(.:format)', controller: 'files', action: 'show'
             match ':controller(/:action(/:id))', via: :get
             get 'odd', controller: 'a#b'
             Sidekiq::Web.class_eval { use Rack::Protection }
             root 'home#index'"
        ),
        [
            "GET /a b#c :named",
            "GET /users/list users#list :users_list",
            "GET /one x#y :one",
            "GET /two x#y :two",
            "GET /both x#both :both",
            "POST /both x#both",
            "ANY /all x#all :all",
            "GET /old redirect :old",
            "GET /rack (lambda) :rack",
            "GET /app (HealthCheck) :app",
            "GET /direct users#show :direct",
            "GET /files/*path files#show",
            "GET /:controller(/:action(/:id)) :controller#:action",
            "GET /odd a#b :odd",
            "GET / home#index :root",
        ]
    );
}

#[test]
fn concerns_options_and_methods() {
    assert_eq!(
        draw(
            "concern(:commentable) { resources :comments, only: :create }
             concern(:closable) { |options| patch :close, on: :member, **options }
             resources :posts, only: [], concerns: :commentable
             resources(:issues, only: []) { concerns :commentable, :closable }
             with_options(controller: 'pages') { |pages| pages.get 'terms', action: 'terms' }
             with_options(only: :index) { resources :tags }
             def things(named: true)
               if named
                 get 'thing', to: 'things#a', as: :thing
               else
                 get 'nothing', to: 'things#b'
               end
             end
             things(named: false)
             scope('z') { things }"
        ),
        [
            "POST /posts/:post_id/comments comments#create :post_comments",
            "POST /issues/:issue_id/comments comments#create :issue_comments",
            "PATCH /issues/:id/close issues#close :close_issue",
            "GET /terms pages#terms :terms",
            "GET /tags tags#index :tags",
            "GET /nothing things#b :nothing",
            "GET /z/thing things#a :thing",
        ]
    );
}

#[test]
fn loops_and_variables() {
    assert_eq!(
        draw(
            "names = %w[a b].freeze
             names.each { |n| get \"#{n}/help\", to: \"#{n}#help\" }
             [[:x, 'y#z']].each { |path, to| get path => to }
             { 'p' => 'q#r' }.each_pair { |path, to| post path, to: to }
             for w in %w(k) do delete w, to: 'l#' + w end
             %i[m n].map(&:to_s).each { |w| get(w, to: 'o#o') unless w == 'n' }"
        ),
        [
            "GET /a/help a#help :a_help",
            "GET /b/help b#help :b_help",
            "GET /x y#z :x",
            "POST /p q#r :p",
            "DELETE /k l#k :k",
            "GET /m o#o :m",
        ]
    );
}

#[test]
fn guards_and_environments() {
    assert_eq!(
        draw(
            "constraints(AdminConstraint.new) { mount Sidekiq::Web => '/sidekiq' }
             constraints(id: /\\d+/) { get 'n/:id', to: 'n#n' }
             constraints(->(r) { r.admin? }) { mount Flipper::UI.app(Flipper), at: 'flipper' }
             authenticate(:user, ->(u) { u.admin? }) { mount PgHero::Engine, at: '/pg' }
             authenticated(:user) { root to: 'feed#index', as: :feed }
             if Rails.env.development?
               mount Letters, at: '/letters'
             end
             get('test', to: 't#t') unless Rails.env.production?
             get 'prod', to: 'p#p' if Rails.env.production?
             get 'own', to: 'o#o', constraints: OwnConstraint"
        ),
        [
            "ANY /sidekiq Sidekiq::Web [AdminConstraint.new]",
            "GET /n/:id n#n",
            "ANY /flipper Flipper::UI.app(Flipper) [lambda]",
            "ANY /pg PgHero::Engine [lambda] authenticated",
            "GET / feed#index :feed authenticated",
            "ANY /letters Letters development",
            "GET /test t#t :test development",
            "GET /prod p#p :prod",
            "GET /own o#o :own [OwnConstraint]",
        ]
    );
}

#[test]
fn devise_makes_its_endpoints() {
    let lines = draw(
        "devise_for :users, path: 'account', path_names: { sign_in: 'login' }, skip: [:passwords],
                    controllers: { sessions: 'sessions', omniauth_callbacks: 'callbacks' }
         devise_scope(:user) { get 'bye', to: 'sessions#bye' }",
    );
    assert_eq!(
        lines,
        [
            "GET /account/login sessions#new :new_user_session",
            "POST /account/login sessions#create :user_session",
            "DELETE /account/sign_out sessions#destroy :destroy_user_session",
            "GET /account/cancel devise/registrations#cancel :cancel_user_registration",
            "GET /account/sign_up devise/registrations#new :new_user_registration",
            "GET /account/edit devise/registrations#edit :edit_user_registration",
            "PATCH /account devise/registrations#update :user_registration",
            "PUT /account devise/registrations#update",
            "DELETE /account devise/registrations#destroy",
            "POST /account devise/registrations#create",
            "GET /account/auth/:provider callbacks#passthru",
            "POST /account/auth/:provider callbacks#passthru",
            "GET /account/auth/:provider/callback callbacks#:provider",
            "POST /account/auth/:provider/callback callbacks#:provider",
            "GET /bye sessions#bye :bye",
        ]
    );
    let models = [("User".to_owned(), vec!["database_authenticatable".to_owned(), "lockable".to_owned()])];
    let settings = Settings { devise: &models, ..Settings::default() };
    let text = "Rails.application.routes.draw { namespace(:api) { devise_for :users } }";
    let (lines, _) = routes_of(&[("config/routes.rb", text)], &settings);
    assert_eq!(lines[0], "GET /api/users/sign_in api/sessions#new :new_api_user_session");
    assert_eq!(lines[3], "GET /api/users/unlock/new api/unlocks#new :new_api_user_unlock");
    assert_eq!(lines.len(), 6);
}

#[test]
fn doorkeeper_with_own_controllers() {
    let lines =
        draw("use_doorkeeper do\n controllers tokens: 'oauth/tokens'\n skip_controllers :applications\nend");
    assert!(lines.contains(&"POST /oauth/token oauth/tokens#create :oauth_token".to_owned()), "{lines:?}");
    assert!(
        lines.contains(&"GET /oauth/authorize doorkeeper/authorizations#new :oauth_authorization".to_owned())
    );
    assert!(!lines.iter().any(|l| l.contains("/oauth/applications")));
}

#[test]
fn parts_and_engines_find_their_place() {
    let isolated = [("Shop::Engine".to_owned(), "shop".to_owned())];
    let settings = Settings { isolated: &isolated, ..Settings::default() };
    let (lines, problems) = routes_of(
        &[
            (
                "config/routes.rb",
                "Rails.application.routes.draw do
                   namespace(:admin) { draw :part }
                   authenticate(:user) { mount Shop::Engine, at: '/shop' }
                   draw :missing
                   surprise :x
                   Panel.routes(self)
                   pages 'faq'
                   fancy_resources :cars, only: :index
                   namespace(:site) { get 'about' }
                   wrapped { get 'w', to: 'w#w' }
                 end",
            ),
            (
                "lib/mapper.rb",
                "class ActionDispatch::Routing::Mapper
                   def pages(name) = get(name, to: \"pages##{name}\")
                 end",
            ),
            ("config/routes/part.rb", "get 'p', to: 'p#p'"),
            ("config/routes/other.rb", "get 'o', to: 'o#o'"),
            ("engines/shop/config/routes.rb", "Shop::Engine.routes.draw { resources :items, only: :show }"),
        ],
        &settings,
    );
    assert_eq!(
        lines,
        [
            "GET /admin/p admin/p#p :admin_p",
            "ANY /shop Shop::Engine authenticated",
            "GET /faq pages#faq :faq",
            "GET /cars cars#index :cars",
            "GET /site/about site#about :site_about",
            "GET /w w#w :w",
            "GET /shop/items/:id shop/items#show :item authenticated",
            "GET /o o#o :o",
        ]
    );
    assert_eq!(
        problems,
        [
            "draw(:missing): there is no config/routes/missing.rb",
            "`surprise` is not known: routes that it makes are missing",
            "what `Panel.routes` declares is missing",
            "`fancy_resources` is not known: read as `resources`",
            "`wrapped` is not known: its block is read as if it were not there",
            "no draw names this file: read as if drawn at the top",
        ]
    );
}

#[test]
fn constants_of_other_files() {
    let other = wardroom_ruby::parse(b"%w(faq terms)");
    let prefix = wardroom_ruby::parse(b"ENV.fetch('PREFIX', '/site')");
    let text = "Rails.application.routes.draw do
        scope(Site.prefix) { Help::TOPICS.each { |t| get t, to: \"help##{t}\" } }
        get \"#{Unknown.thing}/x\", to: 'x#x'
      end";
    let parsed = wardroom_ruby::parse(text.as_bytes());
    let lookup = |name: &str| match name {
        "Help::TOPICS" => Some(&other.body),
        "Site.prefix" => Some(&prefix.body),
        _ => None,
    };
    let files = [RouteFile { index: 0, path: "config/routes.rb", body: &parsed.body }];
    let settings = Settings::default();
    let routes = read(&files, &settings, Some(&lookup));
    let lines: Vec<String> = routes.routes.iter().map(line).collect();
    assert_eq!(
        lines,
        ["GET /site/faq help#faq :faq", "GET /site/terms help#terms :terms", "GET /{Unknown.thing}/x x#x"]
    );
    assert!(path_parameters(&routes.routes[2].path).is_empty());
}

#[test]
fn rails_two() {
    let lines = draw_in(
        (2, 3),
        "ActionController::Routing::Routes.draw do |map|
           map.root :controller => 'home'
           map.login 'login', :controller => 'account', :action => 'login', :conditions => { :method => :post }
           map.resources :users, :only => [:index, :update], :member => { :lock => :post, :card => [:get, :put] },
                         :collection => { :search => :any }, :has_many => :roles do |user|
             user.resource :photo, :only => :show
           end
           map.namespace :admin do |admin|
             admin.resources :posts, :only => :destroy, :as => 'entries'
           end
           map.with_options :controller => 'feeds' do |f|
             f.connect 'feed.:format', :action => 'all'
           end
           map.connect ':controller/:action/:id'
         end",
    );
    assert_eq!(
        lines,
        [
            "ANY / home#index :root",
            "POST /login account#login :login",
            "ANY /users/search users#search :search_users",
            "POST /users/:id/lock users#lock :lock_user",
            "GET /users/:id/card users#card :card_user",
            "PUT /users/:id/card users#card",
            "GET /users users#index :users",
            "PUT /users/:id users#update",
            "GET /users/:user_id/roles roles#index :user_roles",
            "POST /users/:user_id/roles roles#create",
            "GET /users/:user_id/roles/new roles#new :new_user_role",
            "GET /users/:user_id/roles/:id/edit roles#edit :edit_user_role",
            "GET /users/:user_id/roles/:id roles#show :user_role",
            "PUT /users/:user_id/roles/:id roles#update",
            "DELETE /users/:user_id/roles/:id roles#destroy",
            "GET /users/:user_id/photo photos#show :user_photo",
            "DELETE /admin/entries/:id admin/posts#destroy",
            "ANY /feed.:format feeds#all",
            "ANY /:controller/:action/:id :controller#:action",
        ]
    );
}

#[test]
fn hostile_files_end() {
    let deep = format!(
        "Rails.application.routes.draw do\n{}{}\nend",
        "scope('a') do\n".repeat(300),
        "end\n".repeat(300)
    );
    let turning = "Rails.application.routes.draw do
        def a; b; end
        def b; a; end
        a
        concern(:c) { concerns :c }
        resources :x, concerns: :c
        (1..100).each { (1..100).each { (1..100).each { (1..100).each { get 'x', to: 'y#z' } } } }
      end";
    let wrong = "Rails.application.routes.draw do
        resources
        get
        mount
        root
        match nil, via: nil
        resources 5, only: {}, path: []
        namespace
        member { get :x }
        devise_for
        get '' => nil
        map.x
        scope(nil) { get nil }
        draw
      end";
    for text in [deep.as_str(), turning, wrong] {
        let (lines, problems) = routes_of(&[("config/routes.rb", text)], &Settings::default());
        assert!(!problems.is_empty());
        assert!(lines.len() <= 50_000);
    }
}

#[test]
fn values_that_double_with_every_line_are_left_out() {
    for start in ["'x'", "[1]", "{ a: 1 }"] {
        for double in
            ["a = a + a", "a += a", "a = [a, a]", "a = \"#{a}#{a}\"", "a = { b: a, c: a }", "a = [*a, *a]"]
        {
            let text = format!(
                "Rails.application.routes.draw do\n  get 'x', to: 'y#z'\n  a = {start}\n{}  get a, to: 'y#z'\nend\n",
                format!("  {double}\n").repeat(64)
            );
            let (lines, _) = routes_of(&[("config/routes.rb", &text)], &Settings::default());
            assert!(lines.iter().map(String::len).sum::<usize>() < 64 << 20, "{start} {double}");
            assert!(lines.first().is_some_and(|l| l.contains("/x")), "{start} {double}: {:?}", lines.first());
        }
    }
}
