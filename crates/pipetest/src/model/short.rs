//! What may be written short, as a text, or as a table that says more.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

/// A thing that a text alone can say.
pub trait Short<'de>: Sized {
    /// What is to be written there.
    const FORMS: &'static str;

    fn from_text(text: &str) -> Result<Self, String>;

    /// # Errors
    /// What is wrong in the table.
    fn from_table<A: MapAccess<'de>>(table: MapAccessDeserializer<A>) -> Result<Self, A::Error>;
}

struct TextOrTable<T>(PhantomData<T>);

impl<'de, T: Short<'de>> Visitor<'de> for TextOrTable<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::FORMS)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::from_text(text).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::from_table(MapAccessDeserializer::new(map))
    }
}

/// # Errors
/// What is wrong with the value.
pub fn text_or_table<'de, T: Short<'de>, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    from.deserialize_any(TextOrTable(PhantomData))
}
