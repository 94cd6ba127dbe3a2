//! What all kinds of state have in common.

use values::state_text::StateReader;

use crate::settings::Settings;

/// What the allocator adds to a block, about.
const BLOCK_EXTRA: usize = 16;

/// What some functions need of the values of one field in one group. The default is that of no value.
pub(crate) trait State: Default {
    /// The member of a saved group that has the states of this kind, as `,"name":`.
    const MEMBER: &'static [u8];
    /// How a message calls them.
    const NAME: &'static str;

    /// Appends the state as text.
    fn save(&self, out: &mut Vec<u8>);

    /// Reads what `save` wrote; none if it is something else.
    fn load(from: &mut StateReader<'_>, settings: &Settings) -> Option<Self>;

    /// Returns what it takes beside its place in the column, in bytes, about.
    fn heap_bytes(&self) -> usize {
        0
    }
}

/// What a block of so many bytes takes, about.
pub(crate) fn block(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { bytes + BLOCK_EXTRA }
}
