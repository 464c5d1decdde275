//! The crossing's surface: every name an app can write, in the words of its language, one on a line.
//!
//! It is rendered from the interface that stands in the library, not cut out of the generated code: that changes with
//! the generator, and what an app may write does not.

mod words;

use camino::Utf8Path;
use uniffi_bindgen::interface::{
    Argument, AsType, Callable, CallbackInterface, Enum, Field, Function, Object, Record, Type,
};
use uniffi_bindgen::{BindgenLoader, ComponentInterface, GlobalConfig};

use crate::{Language, generate};
use words::Words;

/// The surface of `library` in the words of `language`, always in the same order.
pub(crate) fn surface(library: &Utf8Path, language: Language) -> Result<String, String> {
    let said = |cause: String| format!("cannot read {library}: {cause}");
    let loader = BindgenLoader::new(generate::paths(), GlobalConfig::default());
    let metadata = loader.load_metadata(library).map_err(|cause| said(format!("{cause:#}")))?;
    let crates = loader.load_cis(metadata).map_err(|cause| said(format!("{cause:#}")))?;
    let [crossing] = crates.as_slice() else { return Err(said("it holds several crossings".to_owned())) };
    Ok(Page::new(crossing, language).render())
}

/// One language's page.
struct Page<'a> {
    crossing: &'a ComponentInterface,
    words: Words<'a>,
}

impl<'a> Page<'a> {
    fn new(crossing: &'a ComponentInterface, language: Language) -> Self {
        Self { crossing, words: Words::new(crossing, language) }
    }

    fn render(&self) -> String {
        let (foreign, own): (Vec<&Object>, Vec<&Object>) =
            self.crossing.object_definitions().iter().partition(|object| object.has_callback_interface());
        let (errors, enums): (Vec<&Enum>, Vec<&Enum>) =
            self.crossing.enum_definitions().iter().partition(|of| self.crossing.is_name_used_as_error(of.name()));
        let callbacks = self.crossing.callback_interface_definitions();

        let mut blocks = Vec::new();
        blocks.extend(sorted(self.crossing.function_definitions().iter().map(|function| self.function(function))));
        blocks.extend(sorted(own.into_iter().map(|object| self.object(self.words.class, object))));
        let foreign = foreign.into_iter().map(|object| self.object(self.words.interface, object));
        blocks.extend(sorted(foreign.chain(callbacks.iter().map(|callback| self.callback(callback)))));
        blocks.extend(sorted(self.crossing.record_definitions().iter().map(|record| self.record(record))));
        blocks.extend(sorted(enums.into_iter().map(|of| self.choice(of))));
        blocks.extend(sorted(errors.into_iter().map(|of| self.error(of))));
        blocks.concat()
    }

    fn function(&self, function: &Function) -> String {
        format!("{}\n", self.call(function.name(), function))
    }

    fn object(&self, keyword: &str, object: &Object) -> String {
        let made = object.constructors().into_iter().map(|made| {
            let call = self.call(made.name(), made);
            format!("{} {call}", self.words.constructor)
        });
        let methods = object.methods().into_iter().map(|method| self.call(method.name(), method));
        self.block(&format!("{keyword} {}", self.words.class_name(object.name())), sorted(made.chain(methods)))
    }

    fn callback(&self, callback: &CallbackInterface) -> String {
        let methods = callback.methods().into_iter().map(|method| self.call(method.name(), method));
        self.block(&format!("{} {}", self.words.interface, self.words.class_name(callback.name())), sorted(methods))
    }

    /// In the order of the fields: it is the order of a constructor's arguments.
    fn record(&self, record: &Record) -> String {
        let fields = record.fields().iter().map(|field| self.field(field)).collect();
        self.block(&format!("{} {}", self.words.record, self.words.class_name(record.name())), fields)
    }

    /// In the order of the variants: it is the order in which they compare and are listed.
    fn choice(&self, of: &Enum) -> String {
        let name = |variant: &str| self.words.variant_name(variant, of.is_flat());
        let keyword = if of.is_flat() { self.words.flat } else { self.words.choice };
        self.variants(keyword, of, name)
    }

    fn error(&self, of: &Enum) -> String {
        self.variants(self.words.error, of, |variant| self.words.class_name(variant))
    }

    fn variants(&self, keyword: &str, of: &Enum, name: impl Fn(&str) -> String) -> String {
        let line = |variant: &uniffi_bindgen::interface::Variant| {
            let fields: Vec<String> = variant.fields().iter().map(|field| self.field(field)).collect();
            let fields = if fields.is_empty() { String::new() } else { format!("({})", fields.join(", ")) };
            format!("{}{fields}", name(variant.name()))
        };
        let lines = of.variants().iter().map(line).collect();
        self.block(&format!("{keyword} {}", self.words.class_name(of.name())), lines)
    }

    fn block(&self, head: &str, lines: Vec<String>) -> String {
        let mut text = format!("\n{head}\n");
        lines.iter().for_each(|line| text.push_str(&format!("    {line}\n")));
        text
    }

    fn call(&self, name: &str, callable: &dyn Callable) -> String {
        let arguments = callable
            .arguments()
            .into_iter()
            .map(|argument: &Argument| self.typed(argument.name(), &argument.as_type(), argument.default_value()));
        let arguments: Vec<String> = arguments.collect();
        let returned = callable.return_type().map(|of| self.words.type_name(of));
        let thrown = callable.throws_type().map(|of: &Type| self.words.type_name(of));
        self.words.call(name, &arguments.join(", "), returned, thrown, callable.is_async())
    }

    fn field(&self, field: &Field) -> String {
        self.typed(field.name(), &field.as_type(), field.default_value())
    }

    fn typed(&self, name: &str, of: &Type, default: Option<&uniffi_bindgen::interface::DefaultValue>) -> String {
        let default = default.map(|value| format!(" = {}", self.words.default(value, of))).unwrap_or_default();
        format!("{}: {}{default}", self.words.variable_name(name), self.words.type_name(of))
    }
}

fn sorted(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut lines: Vec<String> = lines.collect();
    lines.sort();
    lines
}
