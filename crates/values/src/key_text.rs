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
    #[must_use]
    pub fn new(text: &[u8]) -> KeyText {
        if text.len() > SHORT_MAX {
            return KeyText::Long(text.into());
        }
        let mut bytes = [0; SHORT_MAX];
        bytes[..text.len()].copy_from_slice(text);
        KeyText::Short { len: text.len() as u8, bytes }
    }

    /// What it takes beside its 24 bytes.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        match self {
            KeyText::Short { .. } => 0,
            KeyText::Long(text) => text.len() + 16,
        }
    }

    #[inline]
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            KeyText::Short { len, bytes } => &bytes[..usize::from(*len)],
            KeyText::Long(text) => text,
        }
    }

    /// Whether the key is this text.
    #[inline]
    #[must_use]
    pub fn is(&self, text: &[u8]) -> bool {
        let own = self.as_bytes();
        match (own.len() == text.len(), text.len()) {
            (false, _) => false,
            // Two parts that overlap, without a call: nearly all keys.
            (true, 8..=16) => {
                (own.first_chunk::<8>(), own.last_chunk::<8>()) == (text.first_chunk(), text.last_chunk())
            }
            (true, _) => own == text,
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
            let key = KeyText::new(&text);
            assert_eq!(key.as_bytes(), text);
            assert!(key.is(&text));
            for at in 0..text.len() {
                let mut other = text.clone();
                other[at] ^= 1;
                assert!(!key.is(&other) && !key.is(&text[..at]), "{at} of {len}");
            }
        }
    }
}
