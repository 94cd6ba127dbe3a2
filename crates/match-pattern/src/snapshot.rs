//! What a checkpoint has of a key: where its matcher is, its rows, and those that wait.
//!
//! `[floor,covered,matches,first,[[time,number,is_out,"line"],…],[…]]`; the partial matches are those that the rows make.
//! With `--ttl` `[last,STATE]`: the time of its last row before it, null where none was taken.

use json_fields::write_string;
use values::state_text::{StateReader, write_items, write_number, write_signed};

use crate::key_state::KeyState;
use crate::matcher::{Matcher, Position};
use crate::reader::Reader;
use crate::row::{Row, Rows};

/// Writes a state; `with_last` puts the time of its last row before it.
pub fn write(state: &KeyState, with_last: bool, out: &mut Vec<u8>) {
    if !with_last {
        return write_matcher(state, out);
    }
    out.push(b'[');
    match state.last {
        Some((last_ms, _)) => write_signed(last_ms, out),
        None => out.extend_from_slice(b"null"),
    }
    out.push(b',');
    write_matcher(state, out);
    out.push(b']');
}

fn write_matcher(state: &KeyState, out: &mut Vec<u8>) {
    let Position { floor, covered, matches } = state.matcher.position();
    out.push(b'[');
    for number in [floor, covered, matches, state.matcher.rows.first()] {
        write_number(number, out);
        out.push(b',');
    }
    write_items(&state.matcher.rows.iter().collect::<Vec<_>>(), out, |row, out| write_row(row, out));
    out.push(b',');
    write_items(&state.waiting.values().collect::<Vec<_>>(), out, |row, out| write_row(row, out));
    out.push(b']');
}

fn write_row(row: &Row, out: &mut Vec<u8>) {
    out.push(b'[');
    write_signed(row.time_ms, out);
    out.push(b',');
    write_number(row.sequence, out);
    out.push(b',');
    write_number(row.is_out.into(), out);
    out.push(b',');
    // Lines were scanned: they are UTF-8.
    write_string(&String::from_utf8_lossy(row.line()), out);
    out.push(b']');
}

/// Reads what [`write`] wrote; none if it is something else.
pub fn read(from: &mut StateReader<'_>, with_last: bool, reader: &mut Reader) -> Option<KeyState> {
    if !with_last {
        return read_matcher(from, reader);
    }
    from.literal(b"[")?;
    let last_ms = if from.literal(b"null").is_some() { None } else { Some(from.signed()?) };
    from.literal(b",")?;
    let mut state = read_matcher(from, reader)?;
    from.literal(b"]")?;
    // Its number decides between keys whose rows are kept; without rows nothing comes out when they end.
    let sequence = state.matcher.rows.iter().last().map_or(0, |row| row.sequence);
    state.last = last_ms.map(|last_ms| (last_ms, sequence));
    Some(state)
}

fn read_matcher(from: &mut StateReader<'_>, reader: &mut Reader) -> Option<KeyState> {
    from.literal(b"[")?;
    let mut numbers = [0; 4];
    for number in &mut numbers {
        *number = from.count()?;
        from.literal(b",")?;
    }
    let [floor, covered, matches, first] = numbers;
    let mut rows = Rows::from(first);
    from.items(|from| read_row(from, reader).map(|row| rows.push(row)))?;
    from.literal(b",")?;
    let mut state = KeyState::default();
    from.items(|from| {
        let row = read_row(from, reader)?;
        state.waiting.insert((row.time_ms, row.sequence), row);
        Some(())
    })?;
    from.literal(b"]")?;
    let is_sound = (first..=rows.end()).contains(&floor);
    state.matcher = Matcher::restored(rows, Position { floor, covered, matches });
    is_sound.then_some(state)
}

fn read_row(from: &mut StateReader<'_>, reader: &mut Reader) -> Option<Row> {
    from.literal(b"[")?;
    let time_ms = from.signed()?;
    from.literal(b",")?;
    let sequence = from.number()?;
    from.literal(b",")?;
    let is_out = from.number()? == 1;
    from.literal(b",")?;
    let line = from.string()?;
    from.literal(b"]")?;
    let read = reader.read(&line).ok()?;
    let mut row = Row::new(&line, read.cells, read.truths, time_ms, sequence);
    row.is_out = is_out;
    Some(row)
}
