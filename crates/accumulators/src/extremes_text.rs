//! Strings and best lines as text, for snapshots.

use crate::extremes::{Best, Found, Ordered, Strings};
use crate::value_text::{load_arrival, load_number, save_number};
use values::state_text::{StateReader, write_items, write_number, write_text};

pub(crate) fn save_strings(strings: &Option<Box<Strings>>, out: &mut Vec<u8>) {
    out.push(b'[');
    if let Some(strings) = strings {
        write_number(strings.count, out);
        for text in [&strings.min, &strings.max] {
            out.push(b',');
            write_text(text, out);
        }
    }
    out.push(b']');
}

pub(crate) fn load_strings(from: &mut StateReader<'_>) -> Option<Option<Box<Strings>>> {
    from.literal(b"[")?;
    if from.literal(b"]").is_some() {
        return Some(None);
    }
    let count = from.count()?;
    from.literal(b",")?;
    let min = from.string()?.into_owned().into_boxed_slice();
    from.literal(b",")?;
    let max = from.string()?.into_owned().into_boxed_slice();
    from.literal(b"]")?;
    Some(Some(Box::new(Strings { count, min, max })))
}

/// `[number,sequence,value]` or `[[string],sequence,value]`
pub(crate) fn save_best(best: &Best, out: &mut Vec<u8>) {
    out.push(b'[');
    if let Some(found) = &best.0 {
        match &found.key {
            Ordered::Number(number) => save_number(number, out),
            Ordered::String(text) => write_items(&[text], out, |text, out| write_text(text, out)),
        }
        out.push(b',');
        write_number(found.at, out);
        out.push(b',');
        write_text(&found.value, out);
    }
    out.push(b']');
}

pub(crate) fn load_best(from: &mut StateReader<'_>) -> Option<Best> {
    from.literal(b"[")?;
    if from.literal(b"]").is_some() {
        return Some(Best::default());
    }
    let key = match from.literal(b"[") {
        Some(()) => {
            let text = from.string()?.into_owned().into_boxed_slice();
            from.literal(b"]")?;
            Ordered::String(text)
        }
        None => Ordered::Number(load_number(from)?),
    };
    from.literal(b",")?;
    let (at, value) = load_arrival(from)?;
    from.literal(b"]")?;
    Some(Best(Some(Box::new(Found { key, at, value }))))
}
