//! What the engine follows and what stops it: one line of Ruby a case, in an action of a controller.

use wardroom_flow::{Knowledge, Mark, analyse};
use wardroom_rails::{App, load};
use wardroom_source::Source;

fn commands(files: &[(&str, &str)]) -> Vec<String> {
    let sources =
        files.iter().map(|(p, t)| Source { path: (*p).into(), text: t.as_bytes().into() }).collect();
    let loaded = load(sources);
    assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
    let app = App::build(&loaded.files);
    let knowledge = Knowledge::built_in().expect("the knowledge reads");
    let flows = analyse(&app, &knowledge).flows;
    flows.iter().filter(|f| f.mark == Mark::Command).map(|f| f.words.to_string()).collect()
}

fn in_action(code: &str) -> Vec<String> {
    let controller =
        format!("class XController < ApplicationController\n  def index\n    {code}\n  end\nend\n");
    let model = "class User < ApplicationRecord\n  enum :role, { a: 0 }\nend\n";
    let schema = "ActiveRecord::Schema.define do\n  create_table \"users\" do |t|\n    t.string \"name\"\n    t.integer \"age\"\n    t.string \"role\"\n  end\nend\n";
    commands(&[
        ("app/controllers/x_controller.rb", &controller),
        ("app/models/user.rb", model),
        ("db/schema.rb", schema),
    ])
}

#[test]
fn followed() {
    let cases = [
        "system(params[:a])",
        "system(\"ls #{params[:a]}\")",
        "`ls #{params[:a]}`",
        "x = params[:a]; system(x)",
        "x = \"\"; x << params[:a]; system(x)",
        "x = 'a' + params[:a]; system(x)",
        "x = 'a'; x += params[:a]; system(x)",
        "x = ['a', params[:a]].join(' '); system(x)",
        "x = format('%s', params[:a]); system(x)",
        "x = '%s' % params[:a]; system(x)",
        "@x = params[:a]; system(@x)",
        "h = { a: params[:a] }; system(h[:a])",
        "h = {}; h[:a] = params[:a]; system(h[:a])",
        "h = { b: 1 }.merge(a: params[:a]); system(h[:a])",
        "a, b = params[:a], 1; system(a)",
        "a, *b = params[:list]; system(b.first)",
        "params[:list].each { |v| system(v) }",
        "params[:list].each { system(it) }",
        "params[:list].each { system(_1) }",
        "params[:list].map { |v| \"x #{v}\" }.each { |v| system(v) }",
        "system(params[:list].map(&:strip).join(','))",
        "params.each { |k, v| system(v) }",
        "params[:a].then { |v| system(v) }",
        "params[:a].tap { |v| system(v) }",
        "system(params[:a].then { |v| \"x #{v}\" })",
        "case params[:a]\n in String => s then system(s)\n end",
        "params[:a] => x; system(x)",
        "params[:a] =~ /(.*)-(.*)/; system($1)",
        "params[:a].match(/(.*)-/); system($~[1])",
        "params[:a] =~ /(.*)-/; system(Regexp.last_match(1))",
        "params[:a] =~ /(.*)-/; system(Regexp.last_match[1])",
        "m = params[:a].match(/(?<x>.*)-/); system(m[:x])",
        "params[:a] =~ /(?<x>.*)-/; system($~[:x])",
        "/(?<x>.*)-/ =~ params[:a]; system(x)",
        "if /(?<x>.*)-/ =~ params[:a] then system(x) end",
        "authenticate_or_request_with_http_token { |token, options| system(token) }",
        "authenticate_with_http_basic do |name, password|\n system(password)\n end",
        "case { k: params[:a] }\n in { k: } then system(k)\n end",
        "x = params[:a] || 'b'; system(x)",
        "x = params[:a] ? params[:a] : 'b'; system(x)",
        "x = if params[:b] then params[:a] else 'b' end; system(x)",
        "x = params.fetch(:a, 'b'); system(x)",
        "x = params.dig(:a, :b); system(x)",
        "x = params.require(:u).permit(:a)[:a]; system(x)",
        "system(cookies[:a])",
        "system(request.headers['X-A'])",
        "system(request.referer)",
        "system(request.body.read)",
        "system(params[:file].original_filename)",
        "system(User.find(1).name)",
        "system(User.where(age: 1).first.name)",
        "User.all.each { |u| system(u.name) }",
        "system(User.pluck(:name).first)",
        "x = params[:a].to_s.strip.downcase; system(x)",
        "x = begin; params[:a]; rescue; 'b'; end; system(x)",
        "x = nil; x ||= params[:a]; system(x)",
        "f = ->(v) { system(v) }; y = params[:a]; system(y)",
        "system('sh', '-c', \"ls #{params[:a]}\")",
        "Open3.capture3({ 'A' => 'b' }, '/bin/bash', '-lc', params[:a])",
        "f = ->(v) { system(v) }; f.call(params[:a])",
        "f = lambda { |v| \"x #{v}\" }; system(f.(params[:a]))",
        "f = proc { |v| v }; system(f[params[:a]])",
        "x = +'a'; x << params[:a]; system(x)",
        "system({ a: 'b' }.fetch(params[:k]) { params[:a] })",
        "system([params[:a]].each_with_object([]) { |v, list| list << v }.join)",
        "system(CGI.unescape(params[:a]))",
        "system('ls ?'.sub('?', params[:a]))",
        "x = Struct.new(:a, :b).new(params[:a], 1); system(x.a)",
        "x = <<~T\n  ls #{params[:a]}\nT\n    system(x)",
        "for v in params[:list] do system(v) end",
        "while true do system(params[:a]) end",
        "x = params[:a].gsub(/a/, 'b'); system(x)",
        "return unless params[:a].present?; system(params[:a])",
        "if params[:a] =~ /^[a-z]+$/ then 1 end; system(params[:a])",
        "x = [params[:a]].flatten.compact.first; system(x)",
        "x = URI.decode_www_form_component(params[:a]); system(x)",
        "x = JSON.parse(params[:a])['x']; system(x)",
        "x = Base64.decode64(params[:a]); system(x)",
        "if params[:a] =~ /(.*)-(\\d+)/ then system($1) end",
        "if /(?<z>.*)-x/ =~ params[:a] then system(z) end",
        "x = params[:a][/(.*)-/, 1]; system(x)",
        "respond_to { |format| format.html { system(params[:a]) } }",
    ];
    let missed: Vec<_> = cases.iter().filter(|c| in_action(c).is_empty()).collect();
    assert!(missed.is_empty(), "not followed:\n{missed:#?}");
}

#[test]
fn stopped() {
    let cases = [
        "system('ls')",
        "system(\"ls #{1 + 2}\")",
        "system(\"ls #{params[:a].to_i}\")",
        "system(\"ls #{Integer(params[:a])}\")",
        "system(\"ls #{Shellwords.escape(params[:a])}\")",
        "system(\"ls #{params[:a].shellescape}\")",
        "system(\"ls #{params[:list].size}\")",
        "x = params[:a]; x = 'b'; system(x)",
        "return unless %w[a b].include?(params[:a]); system(params[:a])",
        "if %w[a b].include?(params[:a]) then system(params[:a]) end",
        "x = params[:a]; raise 'no' unless %w[a b].include?(x); system(x)",
        "x = %w[a b].include?(params[:a]) ? params[:a] : 'a'; system(x)",
        "x = { 'a' => 'ls' }.fetch(params[:a]); system(x)",
        "x = { 'a' => 'ls' }[params[:a]]; system(x)",
        "if params[:a] == 'ls' then system(params[:a]) end",
        "case params[:a] when 'ls', 'id' then system(params[:a]) end",
        "x = params[:a]; case x when 'ls' then system(x) end",
        "if params[:a].match?(/\\A[a-z]+\\z/) then system(params[:a]) end",
        "return unless params[:a] =~ /\\A\\w+\\z/; system(params[:a])",
        "system(User.find(params[:id]).age.to_s)",
        "system(User.find(params[:id]).role)",
        "system(User.find(params[:id]).id)",
        "system(\"x #{User.count}\")",
        "system(params[:a].present?.to_s)",
        "system(SecureRandom.hex)",
        "system(params[:a] == 'b')",
        "x = %w[a b].find { |v| v == params[:a] }; system(x)",
        "system(Digest::MD5.hexdigest(params[:a]))",
        "system(I18n.t('a.b'))",
        "x = Date.parse(params[:a]); system(\"x #{x}\")",
        "h = { a: params[:a], b: 'ls' }; system(h[:b])",
        "a, b = params[:a], 'ls'; system(b)",
        "if params[:a].in?(%w[a b]) then system(params[:a]) end",
        "x = params[:a][/(\\w+)/, 1]; system(x)",
        "m = params[:a].match(/\\A@(\\w+)/); system(m[1])",
        "system(params[:a].map(&:to_i).join(' '))",
        "system({ a: 'b' }.fetch(params[:a]) { 'c' })",
        "f = ->(v) { v }; system(f.call('ls'))",
        "system('sh', '-x', params[:a])",
        "if params[:a] =~ /(\\d+)-.*/ then system($1) end",
        "re = /\\A@(\\w+)/; m = params[:a].match(re); system(m[1])",
        "redirect_to('/') and return unless %w[a].include?(params[:a]); system(params[:a])",
    ];
    let wrong: Vec<_> = cases.iter().filter(|c| !in_action(c).is_empty()).collect();
    assert!(wrong.is_empty(), "followed although harmless:\n{wrong:#?}");
}

#[test]
fn a_filter_that_answers_unless_the_value_is_listed_stops() {
    let with = |filter: &str| {
        let code = format!(
            "class XController < ApplicationController\n  before_action :check\n  def index = system(params[:a])\n  private\n  def check\n    {filter}\n  end\nend\n"
        );
        commands(&[("app/controllers/x_controller.rb", &code)])
    };
    assert!(with("render :no unless %w[a b].include?(params[:a])").is_empty());
    assert!(with("return if %w[a b].include?(params[:a])\n    redirect_to '/'").is_empty());
    assert!(with("head :bad_request if params[:a].blank? || !%w[a b].include?(params[:a])").is_empty());
    assert!(!with("logger.info('x') unless %w[a b].include?(params[:a])").is_empty());
    assert!(!with("render :no unless %w[a b].include?(params[:b])").is_empty());
}

#[test]
fn across_methods_and_files() {
    let base = "class ApplicationController < ActionController::Base\n  def shared(x) = system(x)\nend\n";
    let cases: &[(&str, &[(&str, &str)])] = &[
        (
            "own method",
            &[(
                "app/controllers/x_controller.rb",
                "class XController < ApplicationController\n  def index = run(params[:a])\n  private\n  def run(x) = system(x)\nend\n",
            )],
        ),
        (
            "keyword",
            &[(
                "app/controllers/x_controller.rb",
                "class XController < ApplicationController\n  def index = run(cmd: params[:a])\n  private\n  def run(cmd:, other: 1) = system(cmd)\nend\n",
            )],
        ),
        (
            "splat",
            &[(
                "app/controllers/x_controller.rb",
                "class XController < ApplicationController\n  def index = run(1, params[:a])\n  private\n  def run(n, *rest) = system(rest.first)\nend\n",
            )],
        ),
        (
            "double splat",
            &[(
                "app/controllers/x_controller.rb",
                "class XController < ApplicationController\n  def index = run(a: params[:a])\n  private\n  def run(**o) = system(o[:a])\nend\n",
            )],
        ),
        (
            "return",
            &[(
                "app/controllers/x_controller.rb",
                "class XController < ApplicationController\n  def index = system(name)\n  private\n  def name\n    return params[:a] if x?\n    'b'\n  end\nend\n",
            )],
        ),
        (
            "yield",
            &[(
                "app/controllers/x_controller.rb",
                "class XController < ApplicationController\n  def index\n    with { |v| system(v) }\n  end\n  private\n  def with\n    yield params[:a]\n  end\nend\n",
            )],
        ),
        (
            "send",
            &[(
                "app/controllers/x_controller.rb",
                "class XController < ApplicationController\n  def index = send(:run, params[:a])\n  private\n  def run(x) = system(x)\nend\n",
            )],
        ),
        (
            "parent",
            &[
                ("app/controllers/a.rb", base),
                (
                    "app/controllers/x_controller.rb",
                    "class XController < ApplicationController\n  def index = shared(params[:a])\nend\n",
                ),
            ],
        ),
        (
            "concern",
            &[
                (
                    "app/controllers/concerns/c.rb",
                    "module C\n  extend ActiveSupport::Concern\n  def run(x) = system(x)\nend\n",
                ),
                (
                    "app/controllers/x_controller.rb",
                    "class XController < ApplicationController\n  include C\n  def index = run(params[:a])\nend\n",
                ),
            ],
        ),
        (
            "filter sets an ivar",
            &[(
                "app/controllers/x_controller.rb",
                "class XController < ApplicationController\n  before_action :load\n  def index = system(@x)\n  private\n  def load\n    @x = params[:a]\n  end\nend\n",
            )],
        ),
        (
            "service object",
            &[
                (
                    "app/services/s.rb",
                    "class S\n  def initialize(a)\n    @a = a\n  end\n  def call = system(@a)\nend\n",
                ),
                (
                    "app/controllers/x_controller.rb",
                    "class XController < ApplicationController\n  def index = S.new(params[:a]).call\nend\n",
                ),
            ],
        ),
        (
            "service object in a module",
            &[
                (
                    "app/services/m/s.rb",
                    "module M\n  class S\n    def self.call(...) = new(...).call\n    def initialize(a:) = @a = a\n    def call = run\n    private\n    attr_reader :a\n    def run = system(a)\n  end\nend\n",
                ),
                (
                    "app/controllers/x_controller.rb",
                    "class XController < ApplicationController\n  def index = M::S.call(a: params[:a])\nend\n",
                ),
            ],
        ),
        (
            "module function",
            &[
                ("lib/u.rb", "module U\n  module_function\n  def go(x) = system(x)\nend\n"),
                (
                    "app/controllers/x_controller.rb",
                    "class XController < ApplicationController\n  def index = U.go(params[:a])\nend\n",
                ),
            ],
        ),
        (
            "scope",
            &[
                (
                    "app/models/post.rb",
                    "class Post < ApplicationRecord\n  scope :named, ->(n) { system(n) }\nend\n",
                ),
                (
                    "app/controllers/x_controller.rb",
                    "class XController < ApplicationController\n  def index = Post.where(a: 1).named(params[:a])\nend\n",
                ),
            ],
        ),
        (
            "job",
            &[
                ("app/jobs/j.rb", "class J < ApplicationJob\n  def perform(x) = system(x)\nend\n"),
                (
                    "app/controllers/x_controller.rb",
                    "class XController < ApplicationController\n  def index = J.perform_later(params[:a])\nend\n",
                ),
            ],
        ),
        (
            "helper in a view",
            &[
                ("app/helpers/h_helper.rb", "module HHelper\n  def go(x) = system(x)\nend\n"),
                (
                    "app/controllers/x_controller.rb",
                    "class XController < ApplicationController\n  def index\n    @a = params[:a]\n  end\nend\n",
                ),
                ("app/views/x/index.html.erb", "<p><%= go(@a) %></p>\n"),
            ],
        ),
        (
            "partial's local",
            &[
                (
                    "app/controllers/x_controller.rb",
                    "class XController < ApplicationController\n  def index\n    @a = params[:a]\n  end\nend\n",
                ),
                ("app/views/x/index.html.erb", "<%= render 'row', cmd: @a %>\n"),
                ("app/views/x/_row.html.erb", "<% system(cmd) %>\n"),
            ],
        ),
        (
            "partial in haml",
            &[
                (
                    "app/controllers/x_controller.rb",
                    "class XController < ApplicationController\n  def index\n    @a = params[:a]\n  end\nend\n",
                ),
                ("app/views/x/index.html.haml", "%p\n  = render partial: 'row', locals: { cmd: @a }\n"),
                ("app/views/x/_row.html.haml", "- system(cmd)\n"),
            ],
        ),
        (
            "super",
            &[
                (
                    "app/controllers/a.rb",
                    "class AController < ApplicationController\n  def run(x) = system(x)\nend\n",
                ),
                (
                    "app/controllers/x_controller.rb",
                    "class XController < AController\n  def index = run(params[:a])\n  private\n  def run(x)\n    super\n  end\nend\n",
                ),
            ],
        ),
        (
            "overlay",
            &[
                ("app/services/s.rb", "class S\n  def go(x) = 1\nend\nS.prepend_mod\n"),
                ("ee/app/services/ee/s.rb", "module EE\n  module S\n    def go(x) = system(x)\n  end\nend\n"),
                (
                    "app/controllers/x_controller.rb",
                    "class XController < ApplicationController\n  def index = S.new.go(params[:a])\nend\n",
                ),
            ],
        ),
        (
            "graphql",
            &[(
                "app/graphql/mutations/m.rb",
                "class Mutations::M < GraphQL::Schema::Mutation\n  argument :cmd, String\n  def resolve(cmd:) = system(cmd)\nend\n",
            )],
        ),
        (
            "channel",
            &[(
                "app/channels/c.rb",
                "class C < ActionCable::Channel::Base\n  def speak(data) = system(data['x'])\nend\n",
            )],
        ),
        (
            "grape",
            &[(
                "app/api/a.rb",
                "class A < Grape::API\n  helpers do\n    def go(x) = system(x)\n  end\n  get '/x' do\n    go(params[:a])\n  end\nend\n",
            )],
        ),
        (
            "sinatra",
            &[("app.rb", "class A < Sinatra::Base\n  get '/x' do\n    system(params[:a])\n  end\nend\n")],
        ),
        (
            "recursion ends",
            &[(
                "app/controllers/x_controller.rb",
                "class XController < ApplicationController\n  def index = walk(params[:a], 3)\n  private\n  def walk(x, n)\n    system(x)\n    walk(x, n - 1)\n  end\nend\n",
            )],
        ),
        (
            "delegation",
            &[
                (
                    "app/services/s.rb",
                    "class S\n  delegate :cmd, to: :source\n  def initialize(source) = @source = source\n  attr_reader :source\n  def go = system(source)\nend\n",
                ),
                (
                    "app/controllers/x_controller.rb",
                    "class XController < ApplicationController\n  def index = S.new(params[:a]).go\nend\n",
                ),
            ],
        ),
        (
            "what a block gives",
            &[(
                "app/controllers/x_controller.rb",
                "class XController < ApplicationController\n  def index = system(wrap { params[:a] })\n  private\n  def wrap\n    yield\n  end\nend\n",
            )],
        ),
        (
            "form object",
            &[
                (
                    "app/forms/f.rb",
                    "class F\n  include ActiveModel::Model\n  attr_accessor :cmd\n  def go = system(cmd)\nend\n",
                ),
                (
                    "app/controllers/x_controller.rb",
                    "class XController < ApplicationController\n  def index = F.new(params.require(:f).permit(:cmd)).go\nend\n",
                ),
            ],
        ),
        (
            "struct as parent",
            &[
                ("app/services/s.rb", "class S < Struct.new(:name, :cmd)\n  def go = system(cmd)\nend\n"),
                (
                    "app/controllers/x_controller.rb",
                    "class XController < ApplicationController\n  def index = S.new('x', params[:a]).go\nend\n",
                ),
            ],
        ),
        (
            "stored, in a model",
            &[
                ("app/models/post.rb", "class Post < ApplicationRecord\n  def go = system(title)\nend\n"),
                (
                    "db/schema.rb",
                    "ActiveRecord::Schema.define do\n  create_table \"posts\" do |t|\n    t.string \"title\"\n  end\nend\n",
                ),
            ],
        ),
    ];
    let missed: Vec<_> =
        cases.iter().filter(|(_, files)| commands(files).is_empty()).map(|(name, _)| name).collect();
    assert!(missed.is_empty(), "not followed: {missed:#?}");
}

/// What reaches a command in an application of these files, with a schema of hooks.
fn with_hooks(files: &[(&str, &str)]) -> Vec<String> {
    let schema = "ActiveRecord::Schema.define do\n  create_table \"hooks\" do |t|\n    t.string \"url\"\n    t.integer \"tries\"\n  end\n  create_table \"owners\" do |t|\n    t.string \"title\"\n  end\nend\n";
    let mut all = vec![
        ("app/models/hook.rb", "class Hook < ApplicationRecord\n  belongs_to :owner\nend\n"),
        ("app/models/owner.rb", "class Owner < ApplicationRecord\nend\n"),
        ("db/schema.rb", schema),
    ];
    all.extend(files);
    commands(&all)
}

fn with_service(action: &str, service: &str) -> Vec<String> {
    let controller =
        format!("class XController < ApplicationController\n  def index\n    {action}\n  end\nend\n");
    with_hooks(&[("app/controllers/x_controller.rb", &controller), ("app/services/s.rb", service)])
}

#[test]
fn one_of_several_classes() {
    let classes = "class A\n  def go(x) = system(x)\nend\nclass B\n  def go(x) = x.size\nend\nclass C\n  def go(x) = 1\nend\n";
    let makers = [
        "x? ? A.new : B.new",
        "@box ||= (x? ? B : A).new",
        "@box ||= lambda { x? ? B.new : A.new }.call",
        "@box ||= lambda { return B.new if x?; A.new }.call",
        "case kind\n    when 1 then B.new\n    when 2 then C.new\n    else A.new\n    end",
        "return B.new if x?\n    A.new",
        "if x? then @y = B.new else @y = A.new end\n    @y",
    ];
    for maker in makers {
        let controller = format!(
            "class XController < ApplicationController\n  def index = box.go(params[:a])\n  private\n  def box\n    {maker}\n  end\nend\n"
        );
        let files =
            [("app/controllers/x_controller.rb", controller.as_str()), ("app/services/c.rb", classes)];
        assert_eq!(commands(&files), ["params[:a]"], "{maker}");
    }
    let safe =
        "class XController < ApplicationController\n  def index = (x? ? B : C).new.go(params[:a])\nend\n";
    assert!(
        commands(&[("app/controllers/x_controller.rb", safe), ("app/services/c.rb", classes)]).is_empty()
    );
}

#[test]
fn a_record_handed_over_is_known_by_its_attributes() {
    let through = [
        (
            "S.new(Hook.find(1)).call",
            "class S\n  def initialize(thing) = @thing = thing\n  def call = system(@thing.url)\nend\n",
        ),
        (
            "S.new(thing: Hook.find(1)).call",
            "class S\n  def initialize(thing:)\n    @thing = thing\n  end\n  def call = run\n  def run = system(\"x #{@thing.url.strip}\")\nend\n",
        ),
        ("S.call(Hook.find(1))", "class S\n  def self.call(thing) = system(thing.url)\nend\n"),
        (
            "S.call(Hook.find(1))",
            "class S\n  def self.call(*args) = new(*args).call\n  def initialize(thing) = @thing = thing\n  def call = system(@thing.url)\nend\n",
        ),
        (
            "S.call(Hook.find(1))",
            "class S\n  attr_reader :thing\n  def self.call(...) = new(...).call\n  def initialize(thing) = @thing = thing\n  def call = system(thing.url)\nend\n",
        ),
        (
            "S.call(Hook.where(tries: 1))",
            "class S\n  def self.call(things) = things.each { |t| system(t.url) }\nend\n",
        ),
        (
            "S.call(Hook.find(1))",
            "class S\n  def self.call(thing) = go(thing)\n  def self.go(it_is) = system(it_is.owner.title)\nend\n",
        ),
        ("S.call(a: Hook.find(1))", "class S\n  def self.call(options) = system(options[:a].url)\nend\n"),
    ];
    for (action, service) in through {
        assert_eq!(with_service(action, service).len(), 1, "{action}\n{service}");
    }
    let stopped = [
        ("S.call(Hook.find(1))", "class S\n  def self.call(thing) = system(thing.tries)\nend\n"),
        ("S.call(Hook.find(1))", "class S\n  def self.call(thing) = system(thing.id)\nend\n"),
        ("S.call(1)", "class S\n  def self.call(thing) = system(thing.url)\nend\n"),
        (
            "S.call('a', Hook.find(1))",
            "class S\n  def self.call(*args) = new(*args).call\n  def initialize(a, b) = @thing = a\n  def call = system(@thing.url)\nend\n",
        ),
        (
            "S.new(a: params[:a], b: 'x').call",
            "class S\n  def initialize(options)\n    @options = options\n  end\n  def call = system(@options[:b])\nend\n",
        ),
    ];
    for (action, service) in stopped {
        assert_eq!(with_service(action, service), [""; 0], "{action}\n{service}");
    }
}

#[test]
fn the_keys_of_a_hash_stay_apart() {
    let followed = [
        ("S.call(a: params[:a], b: 1)", "def self.call(o) = system(o.to_h.deep_symbolize_keys[:a])"),
        ("S.call(b: 1)", "def self.call(o)\n    o[:a] = ENV_A.params\n    system(o[:c])\n  end"),
        ("S.call(a: params[:a])", "def self.call(o)\n    o = { b: 1 }.merge!(o)\n    system(o[:a])\n  end"),
        ("S.call(a: params[:a])", "def self.call(o)\n    o[:x] = 1\n    system(o[:a])\n  end"),
    ];
    for (i, (action, service)) in followed.into_iter().enumerate() {
        let found = with_service(action, &format!("class S\n  {service}\nend\n"));
        assert_eq!(found.len(), usize::from(i != 1), "{action}\n{service}");
    }
    let stopped = [
        ("S.call(a: params[:a], b: 'x')", "def self.call(o) = system(o.to_h.deep_symbolize_keys[:b])"),
        (
            "S.call(a: params[:a], b: 'x')",
            "def self.call(o)\n    o = { c: 1 }.merge!(o)\n    system(o[:b])\n  end",
        ),
        (
            "S.call(params[:a])",
            "def self.call(a)\n    o = {}\n    o = fill(o)\n    o[:a] = a\n    system(o[:b])\n  end\n  def self.fill(h) = h",
        ),
        ("S.call(a: params[:a], b: 'x')", "def self.call(o)\n    o[:b] = 'y'\n    system(o[:b])\n  end"),
    ];
    for (action, service) in stopped {
        let found = with_service(action, &format!("class S\n  {service}\nend\n"));
        assert_eq!(found, [""; 0], "{action}\n{service}");
    }
}

#[test]
fn the_controller_of_a_component_hands_out_the_request() {
    let file = "class Box\n  def initialize(controller) = @controller = controller\n  def a = system(controller.params[:a])\n  def b = system(@controller.request.headers['X-B'])\n  def c(controller) = system(controller.cookies[:c])\n  def d = system(other.params)\nend\n";
    assert_eq!(commands(&[("app/components/box.rb", file)]).len(), 3);
}

#[test]
fn a_check_in_front_of_every_call_of_a_method_holds_in_it() {
    let with = |index: &str, rest: &str| {
        let code = format!(
            "class XController < ApplicationController\n  def index\n    {index}\n  end\n{rest}  private\n  def run = system(params[:a])\nend\n"
        );
        commands(&[("app/controllers/x_controller.rb", &code)])
    };
    assert!(with("run if %w[a b].include?(params[:a])", "").is_empty());
    assert!(with("return unless %w[a b].include?(params[:a])\n    run", "").is_empty());
    assert!(!with("run", "").is_empty());
    assert!(!with("run if %w[a b].include?(params[:a])", "  def other = run\n").is_empty());
}

#[test]
fn a_library_s_function_of_a_path_carries_what_it_is_given() {
    for call in ["dirname", "expand_path", "realpath", "absolute_path", "join"] {
        assert!(!in_action(&format!("system(File.{call}(params[:a]))")).is_empty(), "{call}");
    }
}

/// The words of what leads away from the site.
fn redirects(routes: &str, rest: &[(&str, &str)]) -> Vec<String> {
    let mut files = vec![("config/routes.rb", routes)];
    files.extend(rest);
    let sources =
        files.iter().map(|(p, t)| Source { path: (*p).into(), text: t.as_bytes().into() }).collect();
    let loaded = load(sources);
    let app = App::build(&loaded.files);
    let flows = analyse(&app, &Knowledge::built_in().expect("the knowledge reads")).flows;
    flows.iter().filter(|f| f.mark == Mark::Redirect && !f.guarded).map(|f| f.words.to_string()).collect()
}

#[test]
fn redirects_of_the_routes() {
    let with = |route: &str| redirects(&format!("Rails.application.routes.draw do\n  {route}\nend\n"), &[]);
    assert_eq!(
        with("get '/fr/*path', to: redirect { |params, request| \"/#{params[:path]}\" }"),
        ["params[:path]"]
    );
    assert_eq!(
        with("get '/fr/*path', to: redirect(->(params, _) { params[:path] ? \"/#{params[:path]}\" : '/' })"),
        ["params[:path]"]
    );
    assert_eq!(with("get '/fr/:id', to: redirect { |params, request| \"/#{params[:id]}\" }"), [""; 0]);
    assert_eq!(with("get '/fr/*path', to: redirect { |params, request| \"/x/#{params[:path]}\" }"), [""; 0]);
    let module = (
        "lib/hops.rb",
        "module Hops\n  def self.strip\n    lambda { |params, request| \"/#{params[:path]}\" }\n  end\nend\n",
    );
    let found = redirects(
        "Rails.application.routes.draw do\n  get '/fr/*path', to: redirect(&Hops.strip)\nend\n",
        &[module],
    );
    assert_eq!(found, ["params[:path]"]);
}

#[test]
fn one_slash_is_no_guard_against_two() {
    let with = |code: &str| {
        let controller = format!(
            "class XController < ApplicationController\n  def index\n    u = params[:u]\n    {code}\n  end\nend\n"
        );
        redirects("", &[("app/controllers/x_controller.rb", controller.as_str())])
    };
    assert!(!with("redirect_to(u) if u.start_with?('/')").is_empty());
    assert!(with("redirect_to(u) if u.start_with?('/') && !u.start_with?('//')").is_empty());
    assert!(with("redirect_to(u) if u.start_with?('/app/')").is_empty());
}
