//! Unpacks streams with a verdict. hayro takes what it can read and says nothing of the rest.
//!
//! The end that a filter itself marks decides, and the checksum of `FlateDecode`. A wrong `Length`
//! is no damage by itself, because many programs write one (ISO 32000-1, 7.4).

use std::borrow::Cow;

use flate2::{Decompress, FlushDecompress, Status};
use hayro::hayro_interpret::hayro_syntax::object::{Dict, Name, Object, Stream};
use weezl::BitOrder;
use weezl::decode::Decoder as Lzw;

use super::super::Fault;

/// The bytes that a filter yields at a time.
const BUFFER: usize = 32 << 10;
/// The size of the header of zlib data (RFC 1950).
const ZLIB_HEADER: usize = 2;
/// The size of its checksum, which follows the data.
const ZLIB_CHECKSUM: usize = 4;

/// A filter that packs bytes, or an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filter {
    AsciiHex,
    Ascii85,
    Lzw,
    Flate,
    RunLength,
    Image(ImageFilter),
}

/// A filter that yields an image and not bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ImageFilter {
    Ccitt,
    Dct,
    Jbig2,
    Jpx,
}

/// An unpacked stream.
pub(super) struct Unpacked<'a> {
    /// As far as it can be read. With `image`, these bytes are still encoded.
    pub bytes: Cow<'a, [u8]>,
    pub fault: Option<Fault>,
    /// The last filter, if it is of an image, and its parameters.
    pub image: Option<(ImageFilter, Dict<'a>)>,
}

/// Unpacks a stream up to `limit` bytes of each filter, so that a large image costs no more.
pub(super) fn unpack<'a>(stream: &Stream<'a>, limit: usize) -> Unpacked<'a> {
    let mut unpacked = Unpacked {
        bytes: stream.raw_data(),
        fault: None,
        image: None,
    };
    let Some(filters) = filters(stream.dict()) else {
        unpacked.fault = Some(Fault::UnknownFilter);
        return unpacked;
    };
    if filters.is_empty() && is_short(stream, &unpacked.bytes) {
        unpacked.fault = Some(Fault::BrokenOff);
    }
    for (filter, parameters) in filters {
        let bytes = &unpacked.bytes;
        let (bytes, fault) = match filter {
            Filter::AsciiHex => ascii_hex(bytes),
            Filter::Ascii85 => ascii_85(bytes),
            Filter::RunLength => run_length(bytes, limit),
            Filter::Lzw => lzw(bytes, parameters.get::<i32>("EarlyChange") != Some(0)),
            Filter::Flate => flate(bytes, limit),
            Filter::Image(filter) => {
                unpacked.image = Some((filter, parameters));
                break;
            }
        };
        unpacked.bytes = Cow::Owned(bytes);
        unpacked.fault = match filter {
            // A correct checksum covers what came before.
            Filter::Flate => fault,
            _ => unpacked.fault.or(fault),
        };
    }
    unpacked
}

/// The filters in order; none if one of them is unknown.
fn filters<'a>(dictionary: &Dict<'a>) -> Option<Vec<(Filter, Dict<'a>)>> {
    let names: Vec<Name<'a>> = match dictionary.get::<Object<'a>>("Filter") {
        Some(Object::Name(name)) => vec![name],
        Some(Object::Array(names)) => names.iter::<Name<'a>>().collect(),
        _ => vec![],
    };
    let parameters: Vec<Object<'a>> = match dictionary.get::<Object<'a>>("DecodeParms") {
        Some(Object::Array(parameters)) => parameters.iter::<Object<'a>>().collect(),
        Some(parameters) => vec![parameters],
        None => vec![],
    };
    let mut parameters = parameters.into_iter();
    let filters = names.iter().filter_map(|name| {
        let parameters = parameters.next().and_then(Object::into_dict);
        let filter = match name.as_ref() {
            // hayro has decrypted the data.
            b"Crypt" => return None,
            name => filter(name),
        };
        Some(filter.map(|filter| (filter, parameters.unwrap_or_default())))
    });
    filters.collect()
}

fn filter(name: &[u8]) -> Option<Filter> {
    Some(match name {
        b"ASCIIHexDecode" | b"AHx" => Filter::AsciiHex,
        b"ASCII85Decode" | b"A85" => Filter::Ascii85,
        b"LZWDecode" | b"LZW" => Filter::Lzw,
        b"FlateDecode" | b"Fl" => Filter::Flate,
        b"RunLengthDecode" | b"RL" => Filter::RunLength,
        b"CCITTFaxDecode" | b"CCF" => Filter::Image(ImageFilter::Ccitt),
        b"DCTDecode" | b"DCT" => Filter::Image(ImageFilter::Dct),
        b"JBIG2Decode" => Filter::Image(ImageFilter::Jbig2),
        b"JPXDecode" => Filter::Image(ImageFilter::Jpx),
        _ => return None,
    })
}

/// Whether a stream without filters has fewer bytes than it declares. hayro then takes those up to
/// the next `endstream` and leaves out white space before it.
fn is_short(stream: &Stream<'_>, bytes: &[u8]) -> bool {
    /// The line break at the end may be counted, and AES adds up to 32 bytes.
    const SLACK: usize = 34;
    let declared = stream.dict().get::<usize>("Length").unwrap_or_default();
    bytes.len() + SLACK < declared && !bytes.ends_with(b"\n")
}

type Decoded = (Vec<u8>, Option<Fault>);

fn ascii_hex(bytes: &[u8]) -> Decoded {
    let mut decoded = Vec::with_capacity(bytes.len() / 2);
    let mut high = None;
    for byte in bytes.iter().filter(|byte| !is_white(**byte)) {
        let digit = match (*byte as char).to_digit(16) {
            Some(digit) => digit as u8,
            None if *byte == b'>' => {
                decoded.extend(high.map(|high| high << 4));
                return (decoded, None);
            }
            None => return (decoded, Some(Fault::Corrupt)),
        };
        match high.take() {
            Some(high) => decoded.push((high << 4) | digit),
            None => high = Some(digit),
        }
    }
    (decoded, Some(Fault::BrokenOff))
}

fn ascii_85(bytes: &[u8]) -> Decoded {
    let mut decoded = Vec::with_capacity(bytes.len() / 5 * 4);
    let mut group = Vec::with_capacity(5);
    for byte in bytes.iter().filter(|byte| !is_white(**byte)) {
        match byte {
            b'!'..=b'u' => group.push(u64::from(byte - b'!')),
            b'z' if group.is_empty() => decoded.extend([0; 4]),
            b'~' => {
                // A part of a group is filled with the largest digit and cut.
                let kept = group.len().saturating_sub(1);
                group.resize(5, 84);
                decoded.extend(&word_85(&group).to_be_bytes()[..kept]);
                return (decoded, None);
            }
            _ => return (decoded, Some(Fault::Corrupt)),
        }
        if group.len() == 5 {
            decoded.extend(word_85(&group).to_be_bytes());
            group.clear();
        }
    }
    (decoded, Some(Fault::BrokenOff))
}

/// The 32 bits of five digits. A larger number is damage that the next filter meets.
fn word_85(digits: &[u64]) -> u32 {
    let number = digits.iter().fold(0, |number, digit| number * 85 + digit);
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn run_length(bytes: &[u8], limit: usize) -> Decoded {
    const END: u8 = 128;
    let mut decoded = Vec::new();
    let mut rest = bytes;
    while let Some((&length, behind)) = rest.split_first() {
        let count = usize::from(length);
        rest = match length {
            END => return (decoded, None),
            _ if decoded.len() >= limit => return (decoded, None),
            0..END => match behind.split_at_checked(count + 1) {
                Some((literal, behind)) => {
                    decoded.extend(literal);
                    behind
                }
                None => break,
            },
            _ => match behind.split_first() {
                Some((&byte, behind)) => {
                    decoded.extend(std::iter::repeat_n(byte, 257 - count));
                    behind
                }
                None => break,
            },
        };
    }
    (decoded, Some(Fault::BrokenOff))
}

fn lzw(bytes: &[u8], early: bool) -> Decoded {
    // TIFF changes the code length as early as PDF does by default.
    let mut decoder = match early {
        true => Lzw::with_tiff_size_switch(BitOrder::Msb, 8),
        false => Lzw::new(BitOrder::Msb, 8),
    };
    let mut decoded = Vec::new();
    let result = decoder.into_vec(&mut decoded).decode_all(bytes);
    let fault = match result.consumed_in < bytes.len() {
        _ if decoder.has_ended() => None,
        true => Some(Fault::Corrupt),
        false => Some(Fault::BrokenOff),
    };
    (decoded, fault)
}

/// Unpacks zlib data. Data without the header or the checksum is whole if its last block ends.
fn flate(bytes: &[u8], limit: usize) -> Decoded {
    let (decoded, _, fault) = inflate(bytes, true, limit);
    if fault.is_none() {
        return (decoded, None);
    }
    let data = bytes.get(ZLIB_HEADER..).unwrap_or_default();
    let (bare, read, bare_fault) = inflate(data, false, limit);
    if bare_fault.is_none() && data.len() - read < ZLIB_CHECKSUM {
        return (bare, None);
    }
    match inflate(bytes, false, limit) {
        (bare, _, None) => (bare, None),
        _ => (decoded, fault),
    }
}

/// Also returns the number of bytes that were read.
fn inflate(bytes: &[u8], zlib: bool, limit: usize) -> (Vec<u8>, usize, Option<Fault>) {
    let mut decoder = Decompress::new(zlib);
    let mut decoded = Vec::new();
    loop {
        let read = usize::try_from(decoder.total_in()).unwrap_or(usize::MAX);
        let rest = bytes.get(read..).unwrap_or_default();
        let before = (read, decoded.len());
        decoded.reserve(BUFFER);
        let status = decoder.decompress_vec(rest, &mut decoded, FlushDecompress::None);
        let read = usize::try_from(decoder.total_in()).unwrap_or(usize::MAX);
        let fault = match status {
            Ok(Status::StreamEnd) => None,
            Ok(_) if decoded.len() >= limit => None,
            Ok(_) if before == (read, decoded.len()) => Some(Fault::BrokenOff),
            Ok(_) => continue,
            Err(_) => Some(Fault::Corrupt),
        };
        return (decoded, read, fault);
    }
}

/// White space by ISO 32000-1, 7.2.2.
fn is_white(byte: u8) -> bool {
    matches!(byte, 0 | b'\t' | b'\n' | 0xc | b'\r' | b' ')
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, ZlibEncoder};
    use hayro::hayro_interpret::hayro_syntax::object::FromBytes;
    use weezl::encode::Encoder;

    use super::*;

    const TEXT: &[u8] = b"BT (The moon pulls at the sea.) Tj ET ";

    /// Unpacks data with this dictionary.
    fn unpacked(dictionary: &str, data: &[u8]) -> Decoded {
        let head = format!("<<{dictionary}/Length {}>>\nstream\n", data.len());
        let bytes = [head.as_bytes(), data, b"\nendstream"].concat();
        let stream = Stream::from_bytes(&bytes).unwrap();
        let Unpacked { bytes, fault, .. } = unpack(&stream, usize::MAX);
        (bytes.into_owned(), fault)
    }

    fn zlib() -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(vec![], Compression::best());
        encoder.write_all(&TEXT.repeat(9)).unwrap();
        encoder.finish().unwrap()
    }

    fn hex(data: &[u8]) -> String {
        data.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn each_filter_gives_the_whole_data() {
        let lzw = Encoder::with_tiff_size_switch(BitOrder::Msb, 8).encode(TEXT);
        let late = Encoder::new(BitOrder::Msb, 8).encode(TEXT);
        let packed_twice = hex(&zlib()) + ">";
        let run = [&[TEXT.len() as u8 - 1], TEXT, &[250, b' ', 128]].concat();
        let spaces = [TEXT, b"       "].concat();
        for (dictionary, data, expected) in [
            ("", TEXT.to_vec(), TEXT.to_vec()),
            ("/Filter/FlateDecode", zlib(), TEXT.repeat(9)),
            (
                "/Filter[/FlateDecode]",
                [&zlib()[..], b"\r\n"].concat(),
                TEXT.repeat(9),
            ),
            ("/Filter/LZWDecode", lzw.unwrap(), TEXT.to_vec()),
            (
                "/Filter/LZWDecode/DecodeParms<</EarlyChange 0>>",
                late.unwrap(),
                TEXT.to_vec(),
            ),
            ("/Filter/RunLengthDecode", run, spaces),
            ("/Filter/ASCIIHexDecode", b"42 5>".to_vec(), b"BP".to_vec()),
            (
                "/Filter/ASCII85Decode",
                b"9jqo^z BlbD~>".to_vec(),
                b"Man \0\0\0\0is ".to_vec(),
            ),
            (
                "/Filter[/AHx/Fl]",
                packed_twice.into_bytes(),
                TEXT.repeat(9),
            ),
        ] {
            assert_eq!(
                unpacked(dictionary, &data),
                (expected, None),
                "{dictionary}"
            );
        }
    }

    #[test]
    fn data_that_breaks_off_is_told_at_any_length() {
        let lzw = Encoder::with_tiff_size_switch(BitOrder::Msb, 8).encode(TEXT);
        for (filter, whole) in [
            ("LZWDecode", lzw.unwrap()),
            (
                "RunLengthDecode",
                [&[TEXT.len() as u8 - 1], TEXT, &[128]].concat(),
            ),
            ("ASCIIHexDecode", (hex(TEXT) + ">").into_bytes()),
            ("ASCII85Decode", b"9jqo^BlbD~>".to_vec()),
            // The last four bytes are the checksum, without which the data is whole.
            ("FlateDecode", zlib()[..zlib().len() - 4].to_vec()),
        ] {
            let dictionary = format!("/Filter/{filter}");
            assert_eq!(unpacked(&dictionary, &whole).1, None, "{filter}");
            let shortest = usize::from(filter == "ASCII85Decode");
            for length in 0..whole.len() - 1 - shortest {
                let fault = unpacked(&dictionary, &whole[..length]).1;
                assert_eq!(fault, Some(Fault::BrokenOff), "{filter} {length}");
            }
        }
    }

    #[test]
    fn a_changed_byte_is_told_by_the_checksum() {
        for place in 2..zlib().len() {
            let mut data = zlib();
            data[place] ^= 0x10;
            let fault = unpacked("/Filter/FlateDecode", &data).1;
            assert!(fault.is_some(), "{place}");
        }
    }

    #[test]
    fn data_without_a_header_is_whole_if_it_ends() {
        let mut encoder = DeflateEncoder::new(vec![], Compression::best());
        encoder.write_all(TEXT).unwrap();
        let bare = encoder.finish().unwrap();
        assert_eq!(
            unpacked("/Filter/FlateDecode", &bare),
            (TEXT.to_vec(), None)
        );
    }

    #[test]
    fn an_unknown_filter_and_a_short_stream_are_faults() {
        let fault = unpacked("/Filter/FooDecode", TEXT).1;
        assert_eq!(fault, Some(Fault::UnknownFilter));
        let short = b"<</Length 900>>\nstream\nBT (The moon\nendstream";
        let stream = Stream::from_bytes(short).unwrap();
        assert_eq!(unpack(&stream, usize::MAX).fault, Some(Fault::BrokenOff));
    }
}
