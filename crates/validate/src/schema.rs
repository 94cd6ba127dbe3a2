//! A schema, read from one file and compiled.

use crate::place;
use crate::references::{LOOKS_MAX, looks};
use jsonschema::{Draft, Validator};
use millpipe::{Error, without_byte_order_mark};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

/// What `validate` is to do, shared by its threads.
#[derive(Clone, Debug)]
pub struct Schema {
    shared: Arc<(Value, Validator)>,
    coerces: bool,
}

impl Schema {
    /// Compiles a schema of JSON Schema 2020-12, or of the draft that its `$schema` names. `formats`: `format` is asserted.
    ///
    /// # Errors
    /// `Usage` when it is no schema, with the place in it; `$ref` can point inside it only.
    pub fn new(name: &Path, text: &[u8], formats: bool, coerces: bool) -> Result<Schema, Error> {
        let name = name.display();
        let schema: Value = serde_json::from_slice(without_byte_order_mark(text))
            .map_err(|error| Error::usage(format_args!("{name}: no JSON, and so no schema: {error}")))?;
        if looks(&schema) > LOOKS_MAX {
            let why = format_args!("{name}: its references would look at one value more than {LOOKS_MAX} times");
            return Err(Error::usage(why).hint("allOf, anyOf and $ref multiply: write what two of them share once"));
        }
        let draft = Draft::Draft202012.detect(&schema);
        let validator =
            jsonschema::options().with_draft(draft).should_validate_formats(formats).offline().build(&schema);
        let validator = validator.map_err(|error| {
            let place = place::of(error.instance_path());
            let wrong = Error::usage(format_args!("{name}: {place}: {error}"));
            match error.kind() {
                jsonschema::error::ValidationErrorKind::Referencing(_) => {
                    wrong.hint("a schema is one file: $ref points inside it, as to #/$defs/NAME")
                }
                _ => wrong,
            }
        })?;
        Ok(Schema { shared: Arc::new((schema, validator)), coerces })
    }

    pub(crate) fn validator(&self) -> &Validator {
        &self.shared.1
    }

    /// The text of the schema at this JSON pointer.
    pub(crate) fn at(&self, pointer: &str) -> Option<&Value> {
        self.shared.0.pointer(pointer)
    }

    pub(crate) fn coerces(&self) -> bool {
        self.coerces
    }
}
