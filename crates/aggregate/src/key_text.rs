//! Key text, short ones in place: comparing a key then takes one step less through memory.

/// Longest text kept in place. Most keys are shorter.
const SHORT_MAX: usize = 22;

/// An owned key in 24 bytes.
#[derive(Debug)]
pub enum KeyText {
    Short { len: u8, bytes: [u8; SHORT_MAX] },
    Long(Box<[u8]>),
}

impl KeyText {
    pub fn new(text: &[u8]) -> KeyText {
        if text.len() > SHORT_MAX {
            return KeyText::Long(text.into());
        }
        let mut bytes = [0; SHORT_MAX];
        bytes[..text.len()].copy_from_slice(text);
        KeyText::Short { len: text.len() as u8, bytes }
    }

    /// What it takes beside its 24 bytes.
    pub fn heap_bytes(&self) -> usize {
        match self {
            KeyText::Short { .. } => 0,
            KeyText::Long(text) => text.len() + 16,
        }
    }

    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            KeyText::Short { len, bytes } => &bytes[..usize::from(*len)],
            KeyText::Long(text) => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_every_length_are_kept() {
        assert_eq!(size_of::<KeyText>(), 24);
        for len in 0..60 {
            let text: Vec<u8> = (0..len).collect();
            assert_eq!(KeyText::new(&text).as_bytes(), text);
        }
    }
}
