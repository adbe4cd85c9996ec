//! The end of a JPEG, as a document or on a page of a PDF.

/// Whether the end marker follows the marker of the data (ITU-T T.81, annex B). A thumbnail within
/// a segment has an end marker of its own.
pub(super) fn jpeg_ends(bytes: &[u8]) -> bool {
    const START_OF_SCAN: u8 = 0xda;
    let mut at = 2;
    while let Some(&[0xff, marker, high, low]) = bytes.get(at..at + 4) {
        if marker == START_OF_SCAN {
            return bytes[at..].windows(2).any(|window| window == [0xff, 0xd9]);
        }
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
    }
    false
}
