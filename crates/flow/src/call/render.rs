//! Templates and components: which ones a rendering reaches, and what they are given.

use wardroom_rails::{FileId, Habitat};
use wardroom_ruby::ir::*;

use crate::engine::{Binding, Unit};
use crate::env::Env;
use crate::eval::Eval;
use crate::path::What;
use crate::value::{Shape, Value};

impl<'a> Eval<'_, 'a> {
    /// `render SomeComponent.new(…)`
    pub(crate) fn render_component(&mut self, component: &Value, span: Span) -> bool {
        let Shape::Object(class, ivars) = &component.shape else { return false };
        let app = self.engine.app;
        let Some(file) = app.index.class(*class).and_then(|c| c.places.first()).map(|p| p.0) else {
            return false;
        };
        if app.habitat(*class, file) != Habitat::View {
            return false;
        }
        let ivars = ivars.clone().unwrap_or_default();
        let step = self.step(span, What::Passed(*class, Name::from("")));
        let methods = ["call", "view_template", "template", "show"]
            .map(|m| app.index.find(*class, Name::from(m)).map(Unit::Method));
        let units =
            methods.into_iter().flatten().chain(app.templates_of(*class).into_iter().map(Unit::Template));
        for unit in units {
            let summary = self.enter(unit, &[]);
            let binding = Binding { app: self.engine.app, args: &[], ivars: &ivars, own: false, step };
            self.instantiate(&summary.hits, &binding);
        }
        true
    }

    pub(crate) fn render(&mut self, call: &'a Call, args: &[Value], span: Span) -> Value {
        if args.first().is_some_and(|component| self.render_component(component, span)) {
            self.run_block(call, None, None);
            return Value::shaped(Shape::Markup);
        }
        self.sinks(call, None, args, span, false);
        let folder = self.engine.app.render_folder(self.class, self.file);
        let in_view = matches!(self.habitat, Habitat::View | Habitat::Helper);
        let options = args.iter().find(|a| matches!(a.shape, Shape::Hash(_)));
        let option = |key: &str| options.and_then(|o| o.key(key));
        let mut locals: Vec<(Name, Value)> = Vec::new();
        if let Some(given) = option("locals") {
            match &given.shape {
                Shape::Hash(pairs) => {
                    locals.extend(pairs.iter().filter_map(|(k, v)| k.map(|k| (k, v.clone()))))
                }
                _ => locals.push((Name::from("**"), given.clone())),
            }
        }
        let first = args.first().and_then(|a| a.as_text());
        if first.is_some()
            && in_view
            && let Some(Value { shape: Shape::Hash(pairs), .. }) = args.get(1)
        {
            locals.extend(pairs.iter().filter_map(|(k, v)| k.map(|k| (k, v.clone()))));
        }
        let views = &self.engine.app.views;
        let mut files: Vec<FileId> = Vec::new();
        let mut named: Option<String> = None;
        let partial = option("partial").and_then(|p| p.as_text()).or(if in_view { first } else { None });
        if let Some(partial) = partial {
            files.extend(views.partial(partial, &folder));
            named = Some(partial.rsplit('/').next().unwrap_or(partial).to_owned());
        } else {
            let template = option("template")
                .or_else(|| option("action"))
                .and_then(|t| t.as_text())
                .or(if in_view { None } else { first });
            if let Some(template) = template {
                let full =
                    if template.contains('/') { template.to_owned() } else { format!("{folder}/{template}") };
                files.extend(views.get(&full));
            }
            // `render @post`, `render @posts`
            if let Some(Shape::Object(class, _) | Shape::Relation(class)) = args.first().map(|a| &a.shape) {
                let path = wardroom_rails::underscore(class);
                let base = path.rsplit('/').next().unwrap_or(&path).to_owned();
                let plural = wardroom_rails::plural(&base);
                files.extend(views.get(&format!("{plural}/_{base}")));
                locals
                    .push((Name::from(base.as_str()), args.first().map(|a| a.element()).unwrap_or_default()));
            }
        }
        if let Some(named) = &named {
            let key = option("as").and_then(|a| a.as_text()).unwrap_or(named).to_owned();
            if let Some(collection) = option("collection") {
                locals.push((Name::from(key.as_str()), collection.element()));
            } else if let Some(object) = option("object") {
                locals.push((Name::from(key.as_str()), object.clone()));
            }
        }
        files.truncate(3);
        for file in files {
            self.render_template(file, &locals, span);
        }
        self.run_block(call, None, None);
        // What a template gives back has been looked at within it.
        Value::shaped(Shape::Markup)
    }

    /// The template of a mailer's method takes the variables that it has set.
    pub(crate) fn render_mail(&mut self, span: Span) {
        let Unit::Method(id) = self.unit else { return };
        let app = self.engine.app;
        let path = format!("{}/{}", wardroom_rails::underscore(&self.class), app.index.method(id).name);
        for file in app.views.get(&path) {
            self.render_template(*file, &[], span);
        }
    }

    /// Applies a template with these variables and the instance variables of here.
    pub fn render_template(&mut self, file: FileId, locals: &[(Name, Value)], span: Span) {
        let unit = Unit::Template(file);
        self.engine.callers.entry(unit).or_default().insert(self.unit);
        let summary = self.engine.summary(unit);
        let params = self.engine.template_params(file);
        let rest = locals.iter().find(|(n, _)| *n == "**").map(|(_, v)| v.clone()).unwrap_or_default();
        let args: Vec<Value> = params
            .iter()
            .map(|p| locals.iter().find(|(n, _)| n == p).map_or_else(|| rest.clone(), |(_, v)| v.clone()))
            .collect();
        for (i, arg) in args.iter().enumerate() {
            let seen = self.engine.seen.entry((unit, i as u16)).or_default();
            seen.calls += 1;
            seen.open += u32::from(!arg.is_fixed());
        }
        let step = self.step(span, What::Rendered(Name::from(&self.engine.app.file(file).path)));
        let ivars = self.env.ivars.clone();
        let binding = Binding { app: self.engine.app, args: &args, ivars: &ivars, own: true, step };
        self.instantiate(&summary.hits, &binding);
        // What a template sets is there for the layout around it.
        for (name, written) in &summary.ivars {
            Env::set(&mut self.env.ivars, *name, binding.value(written, None));
        }
    }
}
