//! Whether a PDF is complete, determined by its cross-reference tables and the objects that they
//! list. Bytes before the header and behind the last table are no damage (ISO 32000-1, 7.5.4 and
//! 7.5.8).

use std::collections::HashSet;

use hayro::hayro_interpret::hayro_syntax::object::{Dict, FromBytes, Name, Stream};

/// The offset at which a complete PDF begins; `None` if a part of it is missing.
pub(super) fn begin(bytes: &[u8]) -> Option<usize> {
    let header = find(bytes, b"%PDF-").unwrap_or_default();
    let mark = rfind(bytes, b"startxref")?;
    let mut told = Tokens::new(bytes, mark + b"startxref".len());
    let at: usize = told.number()?;
    // Objects behind the last table belong to an update that broke off before its own table.
    if objects(&bytes[told.at..]).next().is_some() {
        return None;
    }
    // Offsets count from the beginning of the file, or else from the header.
    for begin in [0, header] {
        let file = &bytes[begin..];
        let mut tables = Tables::default();
        if at > 0 && tables.read(file, at) {
            return tables.are_complete(file).then_some(begin);
        }
    }
    // The first table of a linearized file has the offset 0, and other programs write wrong ones.
    let mut tables = Tables::default();
    match rfind(&bytes[..mark], b"xref") {
        Some(table) if tables.read(bytes, table) => tables.are_complete(bytes).then_some(header),
        _ => (0 < at && at < bytes.len()).then_some(header),
    }
}

/// The cross-reference tables of a file, from the newest to the first one.
#[derive(Default)]
struct Tables {
    /// The offsets of the tables.
    places: HashSet<usize>,
    /// The number and the offset of each object in use.
    listed: Vec<(u32, usize)>,
    /// Whether a table lies behind the end of the file.
    broken_off: bool,
}

impl Tables {
    /// Reads the table at this offset and its predecessors. Returns false if there is none.
    fn read(&mut self, file: &[u8], at: usize) -> bool {
        let mut next = vec![at];
        let mut found = false;
        while let Some(at) = next.pop() {
            if at >= file.len() {
                self.broken_off |= found;
            } else if self.places.insert(at)
                && let Some(before) = self.plain(file, at).or_else(|| self.stream(file, at))
            {
                found = true;
                next.extend(before);
            }
        }
        found
    }

    /// A table of lines. Returns the offsets of its predecessors.
    fn plain(&mut self, file: &[u8], at: usize) -> Option<Vec<usize>> {
        let mut tokens = Tokens::new(file, at);
        (tokens.word() == b"xref").then_some(())?;
        loop {
            let first = tokens.word();
            if first == b"trailer" {
                break;
            }
            let (first, count): (u32, u32) = (number(first)?, tokens.number()?);
            for object in (first..).take(count as usize) {
                let (offset, _) = (tokens.number()?, tokens.word());
                if tokens.word() == b"n" {
                    self.listed.push((object, offset));
                }
            }
        }
        let trailer = Dict::from_bytes(tokens.rest())?;
        Some(
            ["Prev", "XRefStm"]
                .iter()
                .filter_map(|key| trailer.get(key))
                .collect(),
        )
    }

    /// A table in a stream. Returns the offset of its predecessor.
    fn stream(&mut self, file: &[u8], at: usize) -> Option<Vec<usize>> {
        let mut tokens = Tokens::new(file, at);
        let _: (u32, u32) = (tokens.number()?, tokens.number()?);
        (tokens.word() == b"obj").then_some(())?;
        let table = Stream::from_bytes(tokens.rest())?;
        let dictionary = table.dict();
        (dictionary.get::<Name<'_>>("Type")?.as_ref() == b"XRef").then_some(())?;
        let widths: Vec<usize> = dictionary.get("W")?;
        let [kind, offset, rest] = widths[..].try_into().ok()?;
        let data = table.decoded_data().ok()?;
        let index = dictionary.get::<Vec<u32>>("Index");
        let index = index.or_else(|| Some(vec![0, dictionary.get("Size")?]))?;
        let numbers = index.chunks_exact(2);
        let numbers = numbers.flat_map(|part| (part[0]..).take(part[1] as usize));
        // Field widths of zero would give no entry.
        let entries = data.chunks_exact((kind + offset + rest).max(1));
        for (object, entry) in numbers.zip(entries) {
            // Without a kind an entry is an object in the file.
            if kind == 0 || big_endian(&entry[..kind]) == 1 {
                let offset = big_endian(&entry[kind..kind + offset]);
                self.listed.push((object, offset));
            }
        }
        Some(dictionary.get("Prev").into_iter().collect())
    }

    /// Whether each listed object is in the file, if not at its offset. An object that no page
    /// needs may be missing; one that lies behind the end shows that the file broke off.
    fn are_complete(&self, file: &[u8]) -> bool {
        let mut behind = self
            .listed
            .iter()
            .filter(|(_, offset)| *offset >= file.len());
        if self.broken_off {
            return false;
        }
        let Some((first, _)) = behind.next() else {
            return true;
        };
        let there: HashSet<u32> = objects(file).collect();
        there.contains(first) && behind.all(|(number, _)| there.contains(number))
    }
}

/// The numbers of the objects that begin in these bytes.
fn objects(bytes: &[u8]) -> impl Iterator<Item = u32> {
    let words = bytes.windows(4).enumerate();
    let words = words.filter(|(_, word)| word[0].is_ascii_whitespace() && &word[1..] == b"obj");
    words.filter_map(|(at, _)| {
        let before = bytes[..at].trim_ascii_end();
        let generation = digits_before(before);
        let before = &before[..before.len() - generation.len()];
        let digits = digits_before(before.trim_ascii_end());
        let apart = before.last().is_some_and(u8::is_ascii_whitespace);
        (apart && !generation.is_empty())
            .then(|| number(digits))
            .flatten()
    })
}

fn digits_before(bytes: &[u8]) -> &[u8] {
    let digits = bytes.iter().rev().take_while(|byte| byte.is_ascii_digit());
    &bytes[bytes.len() - digits.count()..]
}

fn number<T: std::str::FromStr>(digits: &[u8]) -> Option<T> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn big_endian(bytes: &[u8]) -> usize {
    let bytes = bytes.iter();
    bytes.fold(0_usize, |number, byte| (number << 8) | usize::from(*byte))
}

/// The words of a file from an offset on.
struct Tokens<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Tokens<'a> {
    fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// The next word; empty at the end.
    fn word(&mut self) -> &'a [u8] {
        let rest = self.rest();
        // A dictionary may follow a keyword without a space.
        let ends = |byte: &u8| is_blank(byte) || matches!(byte, b'<' | b'%');
        let end = rest.iter().position(ends).unwrap_or(rest.len());
        self.at = self.bytes.len() - rest.len() + end;
        &rest[..end]
    }

    fn number<T: std::str::FromStr>(&mut self) -> Option<T> {
        number(self.word())
    }

    /// The bytes from the next word on.
    fn rest(&self) -> &'a [u8] {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let blank = rest.iter().take_while(|byte| is_blank(byte));
        &rest[blank.count()..]
    }
}

fn is_blank(byte: &u8) -> bool {
    byte.is_ascii_whitespace() || *byte == 0
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let mut places = bytes.windows(wanted.len());
    places.position(|window| window == wanted)
}

fn rfind(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let mut places = bytes.windows(wanted.len());
    places.rposition(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A document of one object. `before` precedes it, and the offsets count from the header.
    fn document() -> Vec<u8> {
        let head = b"%PDF-1.4\n1 0 obj\n<</Type/Catalog>>\nendobj\n";
        let table = "xref\n0 2\n0000000000 65535 f \n0000000009 00000 n \n";
        let end = format!(
            "trailer\n<</Root 1 0 R>>\nstartxref\n{}\n%%EOF\n",
            head.len()
        );
        [head, table.as_bytes(), end.as_bytes()].concat()
    }

    #[test]
    fn a_document_is_complete_up_to_the_offset_of_its_table() {
        let whole = document();
        let offset = find(&whole, b"startxref").unwrap() + 10;
        for length in 0..=whole.len() {
            // A part of the offset is an offset too; the table stands before it.
            let complete = begin(&whole[..length]) == Some(0);
            assert_eq!(complete, length > offset, "{length} of {}", whole.len());
        }
    }

    #[test]
    fn bytes_before_and_behind_are_no_damage() {
        let whole = document();
        let behind = [&whole[..], &b"x".repeat(5_000)].concat();
        assert_eq!(begin(&behind), Some(0));
        let before = [&b"x".repeat(2_000)[..], &whole].concat();
        assert_eq!(begin(&before), Some(2_000));
    }

    #[test]
    fn a_truncated_update_is_detected() {
        let whole = document();
        let update = [&whole[..], b"7 0 obj\n<</Length 9000>>\nstream\n"].concat();
        assert_eq!(begin(&update), None);
    }

    #[test]
    fn a_table_or_an_object_behind_the_end_is_missing() {
        let text = String::from_utf8(document()).unwrap();
        let prev = text.replace("/Root 1 0 R", "/Root 1 0 R/Prev 90000");
        assert_eq!(begin(prev.as_bytes()), None);
        let listed = "0 3\n0000000000 65535 f \n0000000009 00000 n \n0000090000 00000 n \n";
        let table = "0 2\n0000000000 65535 f \n0000000009 00000 n \n";
        assert_eq!(begin(text.replace(table, listed).as_bytes()), None);
    }

    #[test]
    fn a_wrong_offset_is_no_damage_if_the_table_is_there() {
        let text = String::from_utf8(document()).unwrap();
        let at = find(text.as_bytes(), b"xref").unwrap();
        for wrong in ["0", "17", "90000"] {
            let told = text.replace(&format!("\n{at}\n%%EOF"), &format!("\n{wrong}\n%%EOF"));
            assert_eq!(begin(told.as_bytes()), Some(0), "{wrong}");
        }
    }

    #[test]
    fn the_numbers_of_objects_are_found() {
        let bytes = b"12 0 obj <<>> endobj\n3 0 obj\n x obj 7 obj";
        assert_eq!(objects(bytes).collect::<Vec<_>>(), [12, 3]);
    }
}
