//! The pages of a TIFF (TIFF 6.0, section 2): each directory refers to the next. The decoder reads
//! only the first one, so each page is passed to it as a file whose header points to that page.

use super::{DocumentError, PageError};

/// Above any real number of pages. A chain of directories may contain a cycle.
const MAX_DIRECTORIES: usize = 10_000;
const HEADER: usize = 8;
const ENTRY: usize = 12;

/// The offset of each page's directory.
pub(super) struct Directories {
    offsets: Vec<u32>,
    byte_order: ByteOrder,
}

#[derive(Clone, Copy)]
enum ByteOrder {
    Little,
    Big,
}

impl Directories {
    pub fn of(bytes: &[u8]) -> Result<Self, DocumentError> {
        let byte_order = match bytes.first() {
            Some(b'I') => ByteOrder::Little,
            _ => ByteOrder::Big,
        };
        let mut offsets = vec![];
        let mut offset = byte_order.u32(bytes, 4).ok_or(DocumentError::Truncated)?;
        while offset != 0 {
            let at = offset as usize;
            if offsets.len() == MAX_DIRECTORIES || at < HEADER || offsets.contains(&offset) {
                return Err(DocumentError::Broken);
            }
            offsets.push(offset);
            let entries = byte_order.u16(bytes, at).ok_or(DocumentError::Truncated)?;
            let next = at + 2 + ENTRY * usize::from(entries);
            offset = byte_order
                .u32(bytes, next)
                .ok_or(DocumentError::Truncated)?;
        }
        Ok(Self {
            offsets,
            byte_order,
        })
    }

    pub fn len(&self) -> usize {
        self.offsets.len()
    }

    /// The file with this page as its first one.
    pub fn alone(&self, bytes: &[u8], page: u32) -> Result<Vec<u8>, PageError> {
        let index = (page as usize).checked_sub(1);
        let offset = index.and_then(|index| self.offsets.get(index));
        let offset = *offset.ok_or(PageError::Missing)?;
        let mut alone = bytes.to_vec();
        let header = alone.get_mut(4..HEADER).ok_or(PageError::Broken)?;
        header.copy_from_slice(&match self.byte_order {
            ByteOrder::Little => offset.to_le_bytes(),
            ByteOrder::Big => offset.to_be_bytes(),
        });
        Ok(alone)
    }
}

impl ByteOrder {
    fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let bytes = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        })
    }

    fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let bytes = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A chain of directories without entries.
    fn chain(offsets: &[u32]) -> Vec<u8> {
        let mut bytes = b"II*\0".to_vec();
        bytes.extend(offsets[0].to_le_bytes());
        for next in &offsets[1..] {
            bytes.extend([0, 0]);
            bytes.extend(next.to_le_bytes());
        }
        bytes
    }

    #[test]
    fn each_page_can_become_the_first_one() {
        let bytes = chain(&[8, 14, 20, 0]);
        let directories = Directories::of(&bytes).unwrap();
        assert_eq!(directories.len(), 3);
        let third = directories.alone(&bytes, 3).unwrap();
        assert_eq!(Directories::of(&third).unwrap().offsets, [20]);
        assert_eq!(directories.alone(&bytes, 4), Err(PageError::Missing));
        assert_eq!(directories.alone(&bytes, 0), Err(PageError::Missing));
    }

    #[test]
    fn a_cyclic_chain_is_broken_and_an_incomplete_one_is_truncated() {
        let open = |offsets: &[u32]| Directories::of(&chain(offsets)).map(|_| ()).unwrap_err();
        assert!(matches!(open(&[8, 14, 8]), DocumentError::Broken));
        assert!(matches!(open(&[4, 0]), DocumentError::Broken));
        assert!(matches!(open(&[8, 9_000]), DocumentError::Truncated));
    }
}
