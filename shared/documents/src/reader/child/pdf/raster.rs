//! The damage of an image: too few pixels, or a code that its format does not allow.
//!
//! A JPEG has no checksum. A changed byte within its pixels cannot be told from a picture.

use hayro::hayro_interpret::hayro_syntax::object::{Dict, Name, Object, Stream};
use hayro_ccitt::EncodingMode;

use super::super::Fault;
use super::super::jpeg_ends;
use super::filters::{ImageFilter, Unpacked, unpack};

/// More than the largest image that is read.
const MOST: usize = 1 << 28;
/// How far from its end a JPEG 2000 may have its end marker.
const END_WITHIN: usize = 1 << 10;

/// What is wrong with an image or a mask.
pub(super) fn image_fault(image: &Stream<'_>) -> Option<Fault> {
    let dictionary = image.dict();
    let expected = size(dictionary);
    let limit = expected.unwrap_or(MOST).saturating_add(1 << 16);
    let Unpacked {
        bytes,
        fault,
        image,
    } = unpack(image, limit);
    fault.or_else(|| match image {
        None => (bytes.len() < expected?).then_some(Fault::BrokenOff),
        Some((ImageFilter::Dct, _)) => (!jpeg_ends(&bytes)).then_some(Fault::BrokenOff),
        Some((ImageFilter::Jpx, _)) => {
            let end = &bytes[bytes.len().saturating_sub(END_WITHIN)..];
            let ends = end.windows(2).any(|marker| marker == [0xff, 0xd9]);
            (!ends).then_some(Fault::BrokenOff)
        }
        Some((ImageFilter::Ccitt, parameters)) => ccitt(&bytes, dictionary, &parameters),
        Some((ImageFilter::Jbig2, parameters)) => jbig2(&bytes, &parameters),
    })
}

/// The size of an image in bytes, if its colours are known.
fn size(dictionary: &Dict<'_>) -> Option<usize> {
    let width: usize = dictionary.get("Width")?;
    let height: usize = dictionary.get("Height")?;
    let bits = match dictionary.get::<bool>("ImageMask") {
        Some(true) => width,
        _ => width
            .checked_mul(components(dictionary.get("ColorSpace")?)?)?
            .checked_mul(dictionary.get("BitsPerComponent")?)?,
    };
    bits.div_ceil(8).checked_mul(height)
}

fn components(space: Object<'_>) -> Option<usize> {
    let (name, second) = match space {
        Object::Name(name) => (name, None),
        Object::Array(entries) => {
            let name = entries.iter::<Name<'_>>().next()?;
            (name, entries.iter::<Object<'_>>().nth(1))
        }
        _ => return None,
    };
    match name.as_ref() {
        b"DeviceGray" | b"CalGray" | b"Indexed" | b"Separation" => Some(1),
        b"DeviceRGB" | b"CalRGB" | b"Lab" => Some(3),
        b"DeviceCMYK" => Some(4),
        b"ICCBased" => second?.into_stream()?.dict().get("N"),
        b"DeviceN" => Some(second?.into_array()?.raw_iter().count()),
        _ => None,
    }
}

/// Counts the rows. Within a row a fax has no check.
fn ccitt(bytes: &[u8], dictionary: &Dict<'_>, parameters: &Dict<'_>) -> Option<Fault> {
    struct Rows(u32);
    impl hayro_ccitt::Decoder for Rows {
        fn push_row(&mut self, _: &[u32]) {
            self.0 += 1;
        }
    }
    let is = |key: &str| parameters.get::<bool>(key);
    let rows = dictionary.get::<u32>("Height")?;
    let settings = hayro_ccitt::DecodeSettings {
        columns: parameters.get("Columns").unwrap_or(1728),
        rows,
        end_of_block: is("EndOfBlock").unwrap_or(true),
        end_of_line: is("EndOfLine").unwrap_or(false),
        rows_are_byte_aligned: is("EncodedByteAlign").unwrap_or(false),
        encoding: match parameters.get::<i32>("K").unwrap_or(0) {
            ..0 => EncodingMode::Group4,
            0 => EncodingMode::Group3_1D,
            _ => EncodingMode::Group3_2D,
        },
        strict: false,
    };
    let mut read = Rows(0);
    let mut context = hayro_ccitt::DecoderContext::new(settings);
    let decoded = hayro_ccitt::decode(bytes, &mut read, &mut context);
    match (decoded, read.0 < rows) {
        (_, false) => None,
        (Ok(_), true) => Some(Fault::BrokenOff),
        (Err(_), true) => Some(Fault::Corrupt),
    }
}

/// Decodes the image, with the symbols that it shares with others.
fn jbig2(bytes: &[u8], parameters: &Dict<'_>) -> Option<Fault> {
    struct Nothing;
    impl hayro_jbig2::Decoder for Nothing {
        fn push_pixel(&mut self, _: bool) {}
        fn push_pixel_chunk(&mut self, _: bool, _: u32) {}
        fn next_line(&mut self) {}
    }
    let settings = hayro_jbig2::DecodeSettings { strict: true };
    let symbols = match parameters.contains_key("JBIG2Globals") {
        false => None,
        true => {
            let Some(stream) = parameters.get::<Stream<'_>>("JBIG2Globals") else {
                return Some(Fault::Missing);
            };
            let Unpacked { bytes, fault, .. } = unpack(&stream, usize::MAX);
            if fault.is_some() {
                return fault;
            }
            let symbols = |bytes: &[u8]| hayro_jbig2::Globals::new(bytes, &settings).ok();
            match symbols(&bytes).or_else(|| symbols(bytes.trim_ascii_end())) {
                None => return Some(Fault::Corrupt),
                symbols => symbols,
            }
        }
    };
    let is_whole = |bytes: &[u8]| {
        let page = hayro_jbig2::Page::new_embedded(bytes, symbols.as_ref(), &settings);
        page.is_ok_and(|page| page.decode(&mut Nothing).is_ok())
    };
    // Some programs count the line break behind the data too.
    let whole = is_whole(bytes) || is_whole(bytes.trim_ascii_end());
    (!whole).then_some(Fault::Corrupt)
}
