//! The whole application, put together from its files.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use wardroom_model::Endpoint;
use wardroom_ruby::ir::{Kind, Name, Node};

use crate::config::Config;
use crate::controllers::{self, Controller};
use crate::endpoints;
use crate::files::{File, FileId, Role};
use crate::gems::Gems;
use crate::index::{Index, MethodId, literal_name, path_name};
use crate::inflect::{camelize, underscore};
use crate::models::{self, ByName, Model};
use crate::routes::{self, RouteFile, Routes};
use crate::schema::Schema;
use crate::views::{Views, logical_path};

/// Where a piece of code lives: it says which words the framework gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Habitat {
    /// A controller or a concern of controllers.
    Controller,
    /// A template, a component or a presenter of one.
    View,
    /// A helper module.
    Helper,
    /// A model or a concern of models.
    Model,
    /// A mailer.
    Mailer,
    /// A job.
    Job,
    /// An ActionCable channel or connection.
    Channel,
    /// Another thing that answers requests: Grape, Sinatra, a Rack application.
    Endpoint,
    /// A GraphQL type, resolver or mutation.
    Graphql,
    /// Anything else.
    Other,
}

/// The application.
#[derive(Debug)]
pub struct App<'a> {
    /// Its files, by number.
    pub files: &'a [File],
    /// Classes, modules, methods, constants.
    pub index: Index<'a>,
    /// Controllers by class.
    pub controllers: FxHashMap<Name, Controller<'a>>,
    /// Models by class.
    pub models: FxHashMap<Name, Model>,
    /// What a variable's name says about the model in it.
    pub by_name: ByName,
    /// Templates by the names under which they are rendered.
    pub views: Views,
    /// Methods that templates can call: those of helper modules and `helper_method`.
    pub view_methods: FxHashMap<Name, MethodId>,
    /// Declared routes.
    pub routes: Routes,
    /// Every way in, with its filters.
    pub endpoints: Vec<Arc<Endpoint>>,
    /// Endpoints by the method that answers them.
    pub endpoints_of: FxHashMap<MethodId, Vec<Arc<Endpoint>>>,
    /// Settings.
    pub config: Config,
    /// Gems and versions.
    pub gems: Gems,
    /// The database's columns.
    pub schema: Schema,
    habitats: FxHashMap<Name, Habitat>,
    file_habitats: Vec<Habitat>,
    includers: FxHashMap<Name, Vec<Name>>,
    components: FxHashMap<FileId, Name>,
}

impl<'a> App<'a> {
    /// Puts the model together.
    pub fn build(files: &'a [File]) -> Self {
        let index = Index::build(files);
        let ruby: Vec<(u32, &str, &Node)> = files
            .iter()
            .enumerate()
            .filter(|(_, f)| matches!(f.role, Role::Ruby | Role::Migration))
            .map(|(i, f)| (i as u32, f.path.as_ref(), &f.parsed.body))
            .collect();
        let text = |wanted: Role| -> Vec<(&str, String)> {
            files
                .iter()
                .filter(|f| f.role == wanted)
                .map(|f| (f.path.as_ref(), String::from_utf8_lossy(&f.text).into_owned()))
                .collect()
        };
        let gems = read_gems(files, &ruby);
        let config = Config::read(&ruby, &gems);
        let structure = text(Role::StructureSql);
        let structure: Vec<(&str, &str)> = structure.iter().map(|(p, t)| (*p, t.as_str())).collect();
        let schema = Schema::read(&ruby, &structure);
        let is_model_file = |id: FileId| files[id.0 as usize].path.contains("app/models/");
        let models = models::find(&index, &schema, &is_model_file);
        let by_name = ByName::new(&models);
        let controllers = controllers::find(&index);
        let views = Views::find(files);
        let mut route_files: Vec<RouteFile<'a>> = files
            .iter()
            .enumerate()
            .filter(|(_, f)| {
                f.role == Role::Ruby
                    && (f.path.ends_with("config/routes.rb") || f.path.contains("config/routes/"))
            })
            .map(|(i, f)| RouteFile { index: i as u32, path: f.path.as_ref(), body: &f.parsed.body })
            .collect();
        route_files.sort_by_key(|f| (f.path != "config/routes.rb", f.path));
        let version = gems.rails_version().unwrap_or(crate::gems::Version(7, 0, 0));
        let routes = read_routes(&route_files, &index, &config, (version.0, version.1));
        let mut app = App {
            files,
            index,
            controllers,
            models,
            by_name,
            views,
            view_methods: FxHashMap::default(),
            routes,
            endpoints: Vec::new(),
            endpoints_of: FxHashMap::default(),
            config,
            gems,
            schema,
            habitats: FxHashMap::default(),
            file_habitats: files.iter().map(|f| file_habitat(&f.path)).collect(),
            includers: FxHashMap::default(),
            components: FxHashMap::default(),
        };
        app.settle();
        endpoints::attach(&mut app);
        app
    }

    /// What follows from the parts once they are together.
    fn settle(&mut self) {
        let mut names: Vec<Name> = self.index.classes.keys().copied().collect();
        names.sort();
        for name in names {
            let Some(class) = self.index.class(name) else { continue };
            for mixin in class.includes.iter().chain(&class.prepends).chain(&class.extends) {
                self.includers.entry(*mixin).or_default().push(name);
            }
            let habitat = self.class_habitat(name);
            let file = class.places.first().map(|p| p.0);
            if habitat == Habitat::Helper {
                for (method, id) in &class.methods {
                    // The application's own helper wins over one deeper in a namespace.
                    self.view_methods.entry(*method).or_insert(*id);
                }
            }
            self.habitats.insert(name, habitat);
            if let Some(file) = file
                && habitat == Habitat::View
            {
                // `app/components/button_component.rb` and its `.html.erb` beside it.
                let stem = self.files[file.0 as usize].path.trim_end_matches(".rb").to_owned();
                for (number, other) in self.files.iter().enumerate() {
                    if other.is_template()
                        && other
                            .path
                            .strip_prefix(stem.as_str())
                            .is_some_and(|rest| rest.starts_with('.') || rest.starts_with('/'))
                    {
                        self.components.insert(FileId(number as u32), name);
                    }
                }
            }
        }
        for controller in self.controllers.values() {
            for declared in self.index.class(controller.class).into_iter().flat_map(|c| c.macros.iter()) {
                if declared.call.name == "helper_method" {
                    for name in declared.call.args.iter().filter_map(literal_name) {
                        if let Some(id) = self.index.find(controller.class, name) {
                            self.view_methods.entry(name).or_insert(id);
                        }
                    }
                }
            }
        }
        // Concerns of controllers declare helper methods as well.
        for class in self.index.classes.values().filter(|c| c.module) {
            for declared in class.macros.iter().filter(|m| m.call.name == "helper_method") {
                for name in declared.call.args.iter().filter_map(literal_name) {
                    if let Some(id) = class.methods.get(&name) {
                        self.view_methods.entry(name).or_insert(*id);
                    }
                }
            }
        }
    }

    /// A file.
    pub fn file(&self, id: FileId) -> &'a File {
        &self.files[id.0 as usize]
    }

    /// Where the code of a class (or of a file, outside of any) lives.
    pub fn habitat(&self, class: Name, file: FileId) -> Habitat {
        match self.habitats.get(&class) {
            Some(habitat) if *habitat != Habitat::Other => *habitat,
            _ => self.file_habitats[file.0 as usize],
        }
    }

    fn class_habitat(&self, name: Name) -> Habitat {
        if self.controllers.contains_key(&name) {
            return Habitat::Controller;
        }
        if self.models.contains_key(&name) {
            return Habitat::Model;
        }
        for ancestor in self.index.ancestors(name) {
            let habitat = match ancestor.as_str() {
                "ActionMailer::Base" | "ApplicationMailer" => Habitat::Mailer,
                "ActiveJob::Base" | "ApplicationJob" | "Sidekiq::Worker" | "Sidekiq::Job"
                | "ApplicationWorker" => Habitat::Job,
                "ActionCable::Channel::Base"
                | "ActionCable::Connection::Base"
                | "ApplicationCable::Channel" => Habitat::Channel,
                "Grape::API" | "Grape::API::Instance" | "Sinatra::Base" | "Sinatra::Application" | "Roda" => {
                    Habitat::Endpoint
                }
                "ViewComponent::Base"
                | "ApplicationComponent"
                | "Phlex::HTML"
                | "Phlex::SVG"
                | "ApplicationView"
                | "Cell::ViewModel" => Habitat::View,
                other if other.starts_with("GraphQL::Schema") => Habitat::Graphql,
                _ => continue,
            };
            return habitat;
        }
        let class = self.index.class(name);
        let file = class.and_then(|c| c.places.first()).map(|p| p.0);
        let by_file = file.map_or(Habitat::Other, |f| self.file_habitats[f.0 as usize]);
        match by_file {
            // A plain object among the models is no record.
            Habitat::Model if class.is_some_and(|c| !c.module) => Habitat::Other,
            habitat => habitat,
        }
    }

    /// The classes that mix a module in.
    pub fn includers(&self, module: Name) -> &[Name] {
        self.includers.get(&module).map_or(&[], Vec::as_slice)
    }

    /// The component class of a template.
    pub fn component_of(&self, file: FileId) -> Option<Name> {
        self.components.get(&file).copied()
    }

    /// The templates of a component.
    pub fn templates_of(&self, component: Name) -> Vec<FileId> {
        let mut files: Vec<FileId> =
            self.components.iter().filter(|(_, c)| **c == component).map(|(f, _)| *f).collect();
        files.sort();
        files
    }

    /// The folder in which a rendering without a folder looks for its template.
    pub fn render_folder(&self, class: Name, file: FileId) -> String {
        if let Some(controller) = self.controllers.get(&class) {
            return controller.path.clone();
        }
        let path = &self.file(file).path;
        if let Some(logical) = logical_path(path) {
            return logical.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned());
        }
        let own = underscore(&class);
        own.strip_suffix("_helper").or_else(|| own.strip_suffix("_controller")).unwrap_or(&own).to_owned()
    }

    /// The controller that routes name so: `admin/users`.
    pub fn controller_at(&self, path: &str) -> Option<&Controller<'a>> {
        let class = Name::from(&format!("{}Controller", camelize(path)));
        self.controllers.get(&class).or_else(|| self.controllers.values().find(|c| c.path == path))
    }

    /// Rails' version, as far as it is known; a recent one otherwise.
    pub fn rails(&self) -> (u32, u32) {
        self.gems.rails_version().map_or((7, 1), |v| (v.0, v.1))
    }
}

/// Routes, with what the rest of the application says that they depend on.
fn read_routes<'a>(files: &[RouteFile<'a>], index: &Index<'a>, config: &Config, rails: (u32, u32)) -> Routes {
    let mut isolated = Vec::new();
    let mut devise = Vec::new();
    for class in index.classes.values() {
        for declared in &class.macros {
            match declared.call.name.as_str() {
                "isolate_namespace" => {
                    if let Some(Kind::Const(path)) = declared.call.args.first().map(|a| &a.kind) {
                        isolated.push((class.name.to_string(), underscore(&path_name(path))));
                    }
                }
                "devise" => {
                    let modules =
                        declared.call.args.iter().filter_map(literal_name).map(|n| n.to_string()).collect();
                    devise.push((class.name.to_string(), modules));
                }
                _ => {}
            }
        }
    }
    isolated.sort();
    devise.sort();
    let settings = routes::Settings {
        rails,
        api_only: config.flag("api_only").unwrap_or(false),
        isolated: &isolated,
        devise: &devise,
    };
    let find = definitions(index);
    // Named anew, so that the answers may live as short as the files do here.
    let lookup = |words: &str| -> Option<&_> { find(words) };
    let routes = routes::read(files, &settings, Some(&lookup));
    Routes { routes: routes.routes, problems: routes.problems }
}

/// Finds the value of a constant (`A::B`) or the body of a class method (`A.b`).
fn definitions<'s, 'a: 's>(index: &'s Index<'a>) -> impl Fn(&str) -> Option<&'s Node> + 's {
    move |words| {
        if let Some((class, method)) = words.split_once('.') {
            let id = index.find_singleton(Name::from(class), Name::from(method))?;
            return Some(index.method(id).body);
        }
        let path: Vec<Name> = words.split("::").map(Name::from).collect();
        index.constant(&path, &[]).map(|(node, _)| node)
    }
}

fn read_gems(files: &[File], ruby: &[(u32, &str, &Node)]) -> Gems {
    let texts: Vec<(&str, String)> = files
        .iter()
        .filter(|f| matches!(f.role, Role::Lockfile | Role::RubyVersion))
        .map(|f| (f.path.as_ref(), String::from_utf8_lossy(&f.text).into_owned()))
        .collect();
    let texts: Vec<(&str, &str)> = texts.iter().map(|(p, t)| (*p, t.as_str())).collect();
    Gems::read(ruby, &texts)
}

fn file_habitat(path: &str) -> Habitat {
    let has = |folder: &str| path.starts_with(folder) || path.contains(&format!("/{folder}"));
    if has("app/controllers/") {
        Habitat::Controller
    } else if has("app/helpers/") {
        Habitat::Helper
    } else if has("app/models/") {
        Habitat::Model
    } else if has("app/views/")
        || has("app/components/")
        || has("app/cells/")
        || has("app/presenters/")
        || has("app/decorators/")
    {
        Habitat::View
    } else if has("app/mailers/") {
        Habitat::Mailer
    } else if has("app/jobs/") || has("app/workers/") || has("app/sidekiq/") {
        Habitat::Job
    } else if has("app/channels/") {
        Habitat::Channel
    } else if has("app/graphql/") {
        Habitat::Graphql
    } else if has("app/api/") || has("lib/api/") {
        Habitat::Endpoint
    } else {
        Habitat::Other
    }
}
