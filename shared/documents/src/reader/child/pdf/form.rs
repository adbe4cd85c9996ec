//! The values of a form's fields. A program that fills in a form may leave it to the viewer to draw
//! them (ISO 32000-1, 12.7.3.3).

use hayro::hayro_interpret::hayro_syntax::object::{
    Array, Dict, MaybeRef, Name, Object, ObjectIdentifier, Rect, String as Bytes,
};
use hayro::hayro_interpret::hayro_syntax::page::Page;

/// Flags of an annotation: it is not shown (12.5.3).
const HIDDEN: u32 = (1 << 1) | (1 << 5);
/// Flags of fields (12.7.4).
const MULTILINE: u32 = 1 << 12;
const PASSWORD: u32 = 1 << 13;
const PUSHBUTTON: u32 = 1 << 16;

/// Maximum depth of the tree of fields, above that of real forms.
const DEPTH: usize = 16;
/// The font size of a field without one, at most.
const USUAL_SIZE: f64 = 12.0;

/// What is shown where a box is ticked.
const TICK: &str = "✔";

/// A field with a value.
#[derive(Debug)]
pub(super) struct Field {
    /// Where it is on the page.
    pub area: Rect,
    pub value: String,
    /// In points.
    pub size: f64,
    /// Whether the value begins at the top.
    pub is_multiline: bool,
    /// Whether it is a box that is ticked.
    pub is_tick: bool,
    /// Whether the stored drawing of the field is out of date.
    pub is_stale: bool,
}

/// The fields of a page that have a value and are shown.
pub(super) fn fields(page: &Page<'_>) -> Vec<Field> {
    let xref = page.xref();
    let root = xref.get::<Dict<'_>>(xref.root_id()).unwrap_or_default();
    let form = root.get::<Dict<'_>>("AcroForm").unwrap_or_default();
    let notes = page.raw().get::<Array<'_>>("Annots").unwrap_or_default();
    let notes = notes.raw_iter().filter_map(|note| match note {
        MaybeRef::Ref(reference) => xref.get::<Dict<'_>>(ObjectIdentifier::from(reference)),
        MaybeRef::NotRef(note) => note.into_dict(),
    });
    notes.filter_map(|note| field(&note, &form)).collect()
}

fn field(note: &Dict<'_>, form: &Dict<'_>) -> Option<Field> {
    (note.get::<Name<'_>>("Subtype")?.as_ref() == b"Widget").then_some(())?;
    (note.get::<u32>("F").unwrap_or_default() & HIDDEN == 0).then_some(())?;
    let area: Rect = note.get("Rect")?;
    let kind = inherited(note, "FT")?.into_name()?;
    let flags = inherited(note, "Ff").and_then(Object::into_i32);
    let flags = flags.unwrap_or_default().cast_unsigned();
    let is_tick = kind.as_ref() == b"Btn";
    let value = match kind.as_ref() {
        b"Btn" if flags & PUSHBUTTON == 0 && is_on(note) => TICK.to_owned(),
        b"Tx" if flags & PASSWORD == 0 => text(inherited(note, "V")?)?,
        b"Ch" => choice(inherited(note, "V")?, inherited(note, "Opt"))?,
        _ => return None,
    };
    let font = inherited(note, "DA").or_else(|| form.get("DA"));
    let size = font
        .and_then(Object::into_string)
        .and_then(|font| size(&font));
    let fits = USUAL_SIZE.min((area.y1 - area.y0).abs() * 0.7);
    Some(Field {
        area,
        value,
        size: size.unwrap_or(fits),
        is_multiline: flags & MULTILINE != 0,
        is_tick,
        is_stale: form.get::<bool>("NeedAppearances").unwrap_or(false),
    })
}

/// An entry of a field, or of the nearest field above it that has one.
fn inherited<'a>(note: &Dict<'a>, key: &str) -> Option<Object<'a>> {
    let mut field = note.clone();
    for _ in 0..DEPTH {
        if let Some(entry) = field.get::<Object<'a>>(key) {
            return Some(entry);
        }
        field = field.get::<Dict<'a>>("Parent")?;
    }
    None
}

/// Whether a box or a radio button is ticked.
fn is_on(note: &Dict<'_>) -> bool {
    if let Some(state) = note.get::<Name<'_>>("AS") {
        return state.as_ref() != b"Off";
    }
    let value = inherited(note, "V").and_then(Object::into_name);
    let Some(value) = value.filter(|value| value.as_ref() != b"Off") else {
        return false;
    };
    // Radio buttons share a value. It names the drawing of the one that is ticked.
    let drawings = note.get::<Dict<'_>>("AP");
    let drawings = drawings.and_then(|drawings| drawings.get::<Dict<'_>>("N"));
    drawings.is_none_or(|drawings| drawings.contains_key(&value))
}

/// What a list shows for its value, which may name several entries.
fn choice(value: Object<'_>, options: Option<Object<'_>>) -> Option<String> {
    let options = options.and_then(Object::into_array).unwrap_or_default();
    let pairs = options.iter::<Object<'_>>().filter_map(Object::into_array);
    let pairs = pairs.filter_map(|pair| {
        let mut pair = pair.iter::<Object<'_>>().map(text);
        Some((pair.next()??, pair.next()??))
    });
    let pairs: Vec<(String, String)> = pairs.collect();
    let values = match value {
        Object::Array(values) => values.iter::<Object<'_>>().filter_map(text).collect(),
        value => vec![text(value)?],
    };
    let values = values.into_iter().map(|value| {
        let shown = pairs.iter().find(|(stored, _)| *stored == value);
        shown.map_or(value.clone(), |(_, shown)| shown.clone())
    });
    Some(values.collect::<Vec<_>>().join("\n"))
}

/// A text that is not blank.
fn text(value: Object<'_>) -> Option<String> {
    let text = match value {
        Object::String(bytes) => decoded(&bytes),
        Object::Name(name) => name.as_str().to_owned(),
        Object::Stream(stream) => decoded(&stream.decoded_data().ok()?),
        _ => return None,
    };
    (!text.trim().is_empty()).then_some(text)
}

/// A text string: UTF-16 or UTF-8 with its mark, or else PDFDocEncoding (7.9.2.2).
fn decoded(bytes: &[u8]) -> String {
    match bytes {
        [0xfe, 0xff, utf16 @ ..] => {
            let units = utf16.chunks(2);
            let units = units.map(|unit| u16::from_be_bytes([unit[0], *unit.get(1).unwrap_or(&0)]));
            String::from_utf16_lossy(&units.collect::<Vec<_>>())
        }
        [0xef, 0xbb, 0xbf, utf8 @ ..] => String::from_utf8_lossy(utf8).into_owned(),
        bytes => bytes.iter().map(|&byte| of_pdf_doc(byte)).collect(),
    }
}

/// A character of PDFDocEncoding (annex D.2). Where it differs from Latin 1 it has signs.
fn of_pdf_doc(byte: u8) -> char {
    const ACCENTS: [char; 8] = ['˘', 'ˇ', 'ˆ', '˙', '˝', '˛', '˚', '˜'];
    const SIGNS: [char; 33] = [
        '•', '†', '‡', '…', '—', '–', 'ƒ', '⁄', '‹', '›', '−', '‰', '„', '“', '”', '‘', '’', '‚',
        '™', 'ﬁ', 'ﬂ', 'Ł', 'Œ', 'Š', 'Ÿ', 'Ž', 'ı', 'ł', 'œ', 'š', 'ž', '\u{fffd}', '€',
    ];
    match byte {
        0x18..=0x1f => ACCENTS[usize::from(byte - 0x18)],
        0x80..=0xa0 => SIGNS[usize::from(byte - 0x80)],
        byte => char::from(byte),
    }
}

/// The font size of a default appearance, e.g. `/F1 12 Tf 0 g`. Zero leaves it to the viewer.
fn size(appearance: &Bytes<'_>) -> Option<f64> {
    let operators = std::str::from_utf8(appearance).ok()?;
    let words: Vec<&str> = operators.split_ascii_whitespace().collect();
    let font = words.iter().position(|word| *word == "Tf")?;
    let size: f64 = words.get(font.checked_sub(1)?)?.parse().ok()?;
    (size > 0.0).then_some(size)
}

#[cfg(test)]
mod tests {
    use hayro::hayro_interpret::hayro_syntax::object::FromBytes;

    use super::*;

    #[test]
    fn a_text_string_is_decoded_by_its_mark() {
        assert_eq!(decoded(b"\xfe\xff\x05\xe9\x00a"), "שa");
        assert_eq!(decoded("\u{feff}é".as_bytes()), "é");
        assert_eq!(decoded(b"\x8d5 \xa0, \xe9 \x95\x1a"), "“5 €, é Łˆ");
    }

    #[test]
    fn the_font_size_is_before_its_operator() {
        for (appearance, expected) in [
            ("(/F1 12 Tf 0 g)", Some(12.0)),
            ("(0 g /F1 0 Tf)", None),
            ("(Tf)", None),
        ] {
            let appearance = Bytes::from_bytes(appearance.as_bytes()).unwrap();
            assert_eq!(size(&appearance), expected);
        }
    }
}
