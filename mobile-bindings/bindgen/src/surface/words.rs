//! How each language writes a name, a type, a call and a default, as the generator writes them.

use heck::{ToLowerCamelCase as _, ToShoutySnakeCase as _, ToSnakeCase as _, ToUpperCamelCase as _};
use uniffi_bindgen::ComponentInterface;
use uniffi_bindgen::interface::{DefaultValue, Literal, Type};

use crate::Language;

/// The words of one language.
pub(super) struct Words<'a> {
    crossing: &'a ComponentInterface,
    language: Language,
    pub(super) class: &'static str,
    pub(super) constructor: &'static str,
    /// What the app implements.
    pub(super) interface: &'static str,
    pub(super) record: &'static str,
    /// An enum without data.
    pub(super) flat: &'static str,
    /// An enum with data.
    pub(super) choice: &'static str,
    pub(super) error: &'static str,
}

impl<'a> Words<'a> {
    pub(super) fn new(crossing: &'a ComponentInterface, language: Language) -> Self {
        let [class, constructor, interface, record, flat, choice, error] = match language {
            Language::Kotlin => {
                ["class", "companion", "interface", "data class", "enum class", "sealed class", "exception"]
            }
            Language::Swift => ["class", "static", "protocol", "struct", "enum", "enum", "error enum"],
            Language::Python => ["class", "classmethod", "protocol", "dataclass", "enum", "union", "exception"],
        };
        Self { crossing, language, class, constructor, interface, record, flat, choice, error }
    }

    pub(super) fn class_name(&self, name: &str) -> String {
        let name_here = name.to_upper_camel_case();
        match (self.language, name_here.strip_suffix("Error")) {
            (Language::Kotlin, Some(stem)) if self.crossing.is_name_used_as_error(name) => format!("{stem}Exception"),
            _ => name_here,
        }
    }

    pub(super) fn variant_name(&self, name: &str, is_flat: bool) -> String {
        match self.language {
            Language::Kotlin if is_flat => name.to_shouty_snake_case(),
            Language::Kotlin => name.to_upper_camel_case(),
            Language::Swift => name.to_lower_camel_case(),
            Language::Python => name.to_shouty_snake_case(),
        }
    }

    pub(super) fn variable_name(&self, name: &str) -> String {
        match self.language {
            Language::Kotlin | Language::Swift => name.to_lower_camel_case(),
            Language::Python => name.to_snake_case(),
        }
    }

    pub(super) fn call(
        &self,
        name: &str,
        arguments: &str,
        returned: Option<String>,
        thrown: Option<String>,
        is_async: bool,
    ) -> String {
        let name = self.variable_name(name);
        let (before, between) = match self.language {
            Language::Kotlin => (if is_async { "suspend fun" } else { "fun" }, ": "),
            Language::Swift => ("func", " -> "),
            Language::Python => (if is_async { "async def" } else { "def" }, " -> "),
        };
        let is_async_after = if matches!(self.language, Language::Swift) && is_async { " async" } else { "" };
        let throws = if matches!(self.language, Language::Swift) { "throws" } else { "raises" };
        let thrown = thrown.map(|error| format!(" {throws} {error}")).unwrap_or_default();
        let returned = returned.map(|of| format!("{between}{of}")).unwrap_or_default();
        match self.language {
            Language::Swift => format!("{before} {name}({arguments}){is_async_after}{thrown}{returned}"),
            Language::Kotlin | Language::Python => format!("{before} {name}({arguments}){returned}{thrown}"),
        }
    }

    pub(super) fn type_name(&self, of: &Type) -> String {
        match of {
            Type::Object { name, .. }
            | Type::Record { name, .. }
            | Type::Enum { name, .. }
            | Type::CallbackInterface { name, .. }
            | Type::Custom { name, .. } => self.class_name(name),
            Type::Box { inner_type } => self.type_name(inner_type),
            Type::Optional { inner_type } => self.wrapped(["?", "?", " | None"], inner_type),
            Type::Sequence { inner_type } => self.generic([("List<", ">"), ("[", "]"), ("list[", "]")], inner_type),
            Type::Set { inner_type } => self.generic([("Set<", ">"), ("Set<", ">"), ("set[", "]")], inner_type),
            Type::Map { key_type, value_type } => {
                let (key, value) = (self.type_name(key_type), self.type_name(value_type));
                match self.language {
                    Language::Kotlin => format!("Map<{key}, {value}>"),
                    Language::Swift => format!("[{key}: {value}]"),
                    Language::Python => format!("dict[{key}, {value}]"),
                }
            }
            simple => self.pick(primitive(simple)).to_owned(),
        }
    }

    pub(super) fn default(&self, value: &DefaultValue, of: &Type) -> String {
        let none = self.pick(["null", "nil", "None"]);
        match (value, of) {
            (DefaultValue::Default | DefaultValue::Literal(Literal::None), Type::Optional { .. }) => none.to_owned(),
            (DefaultValue::Default, _) => format!("{}()", self.type_name(of)),
            (DefaultValue::Literal(literal), _) => self.literal(literal, of),
        }
    }

    fn literal(&self, literal: &Literal, of: &Type) -> String {
        match literal {
            Literal::Boolean(yes) if matches!(self.language, Language::Python) => {
                if *yes { "True" } else { "False" }.to_owned()
            }
            Literal::Boolean(yes) => yes.to_string(),
            Literal::String(text) => format!("{text:?}"),
            Literal::UInt(number, ..) => number.to_string(),
            Literal::Int(number, ..) => number.to_string(),
            Literal::Float(number, _) => number.clone(),
            Literal::Enum(variant, of) => {
                let variant = self.variant_name(variant, true);
                match self.language {
                    Language::Swift => format!(".{variant}"),
                    Language::Kotlin | Language::Python => format!("{}.{variant}", self.type_name(of)),
                }
            }
            Literal::EmptySequence => self.pick(["listOf()", "[]", "[]"]).to_owned(),
            Literal::EmptyMap => self.pick(["mapOf()", "[:]", "{}"]).to_owned(),
            Literal::EmptySet => self.pick(["setOf()", "[]", "set()"]).to_owned(),
            Literal::None => self.pick(["null", "nil", "None"]).to_owned(),
            Literal::Some { inner } => self.default(inner, of),
        }
    }

    fn wrapped(&self, after: [&str; 3], inner: &Type) -> String {
        format!("{}{}", self.type_name(inner), self.pick(after))
    }

    fn generic(&self, around: [(&str, &str); 3], inner: &Type) -> String {
        let (before, after) = self.pick(around);
        format!("{before}{}{after}", self.type_name(inner))
    }

    /// One of Kotlin's, Swift's and Python's.
    fn pick<T: Copy>(&self, [kotlin, swift, python]: [T; 3]) -> T {
        match self.language {
            Language::Kotlin => kotlin,
            Language::Swift => swift,
            Language::Python => python,
        }
    }
}

fn primitive(of: &Type) -> [&'static str; 3] {
    match of {
        Type::UInt8 => ["UByte", "UInt8", "int"],
        Type::Int8 => ["Byte", "Int8", "int"],
        Type::UInt16 => ["UShort", "UInt16", "int"],
        Type::Int16 => ["Short", "Int16", "int"],
        Type::UInt32 => ["UInt", "UInt32", "int"],
        Type::Int32 => ["Int", "Int32", "int"],
        Type::UInt64 => ["ULong", "UInt64", "int"],
        Type::Int64 => ["Long", "Int64", "int"],
        Type::Float32 => ["Float", "Float", "float"],
        Type::Float64 => ["Double", "Double", "float"],
        Type::Boolean => ["Boolean", "Bool", "bool"],
        Type::String => ["String", "String", "str"],
        Type::Bytes => ["ByteArray", "Data", "bytes"],
        Type::Timestamp => ["Instant", "Date", "datetime"],
        Type::Duration => ["Duration", "TimeInterval", "timedelta"],
        Type::Object { .. }
        | Type::Record { .. }
        | Type::Enum { .. }
        | Type::CallbackInterface { .. }
        | Type::Box { .. }
        | Type::Optional { .. }
        | Type::Sequence { .. }
        | Type::Map { .. }
        | Type::Set { .. }
        | Type::Custom { .. } => unreachable!("a type with a name or a type inside is written by its caller"),
    }
}
