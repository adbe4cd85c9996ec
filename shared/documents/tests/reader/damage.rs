//! Damaged documents. A page says what of it is damaged, and what can be read stands beside it.

use documents::reader::{Damage, Fault, Part};

use super::make::{Pdf, deflated, text as shown};
use super::*;

/// The sentence about each of 40 lines.
const LINES: usize = 40;

fn lines() -> String {
    let lines: Vec<String> = (1..=LINES).map(|number| format!("Line {number}")).collect();
    shown(60.0, 800.0, 12.0, &lines)
}

/// The number of lines that are read on the first page, and its damage.
async fn read(bytes: impl AsRef<[u8]>) -> (usize, Option<Damage>) {
    let stored = Stored::new("damaged.pdf", bytes);
    let pages = all(&reader(Limits::default()), stored.path()).await;
    let page = pages[0].text.as_ref().unwrap();
    (page.text.lines().count(), page.damage)
}

/// The damage of a page that is rendered.
async fn rendered(bytes: impl AsRef<[u8]>) -> Option<Damage> {
    let stored = Stored::new("damaged.pdf", bytes);
    let image = reader(Limits::default())
        .render(stored.path(), 1, 100)
        .await;
    image.unwrap().damage
}

fn damage(part: Part, fault: Fault) -> Option<Damage> {
    Some(Damage { part, fault })
}

fn case(name: &str) -> Vec<u8> {
    fs::read(fixture("cases").join(name)).unwrap()
}

#[tokio::test]
async fn a_whole_page_has_no_damage() {
    assert_eq!(read(case("dmg-content-whole.pdf")).await, (LINES, None));
    for name in ["tides.pdf", "forty-pages.pdf", "cases/end-f.pdf"] {
        let pages = all(&reader(Limits::default()), &fixture(name)).await;
        let damages = pages.iter().map(|page| page.text.as_ref().unwrap().damage);
        assert!(damages.into_iter().all(|damage| damage.is_none()), "{name}");
    }
    let image = reader(Limits::default())
        .render(&fixture("tides.pdf"), 2, 100)
        .await;
    assert_eq!(image.unwrap().damage, None);
}

#[tokio::test]
async fn content_that_is_cut_or_changed_is_damaged_and_its_text_is_kept() {
    let half = read(case("dmg-content-half.pdf")).await;
    assert_eq!(half, (13, damage(Part::Content, Fault::BrokenOff)));
    let (lines, found) = read(case("dmg-content-flip.pdf")).await;
    assert_eq!(found, damage(Part::Content, Fault::Corrupt));
    assert!(0 < lines && lines < LINES, "{lines}");
    assert_eq!(
        found.unwrap().to_string(),
        "the page is damaged: its content is corrupt"
    );
}

#[tokio::test]
async fn a_scan_whose_image_is_cut_or_lacks_its_symbols_is_damaged() {
    for (name, fault) in [
        ("scan-jbig2-noglobals.pdf", Fault::Corrupt),
        ("scan-flate-cut.pdf", Fault::BrokenOff),
    ] {
        assert_eq!(
            rendered(case(name)).await,
            damage(Part::Image, fault),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_scan_whose_jpeg_is_cut_is_damaged() {
    let picture = image::GrayImage::from_fn(400, 300, |x, y| image::Luma([(x * y % 251) as u8]));
    let mut jpeg = std::io::Cursor::new(vec![]);
    picture
        .write_to(&mut jpeg, image::ImageFormat::Jpeg)
        .unwrap();
    let whole = jpeg.into_inner();
    for (data, found) in [
        (&whole[..], None),
        (
            &whole[..whole.len() / 2],
            damage(Part::Image, Fault::BrokenOff),
        ),
    ] {
        let mut pdf = Pdf::new();
        let image = pdf.raw_stream(
            "/Type/XObject/Subtype/Image/Width 400/Height 300/BitsPerComponent 8\
             /ColorSpace/DeviceGray/Filter/DCTDecode",
            data,
        );
        assert_eq!(rendered(pdf.scan(image).bytes()).await, found);
    }
}

#[tokio::test]
async fn an_image_with_too_few_pixels_is_damaged() {
    for (rows, found) in [(300, None), (200, damage(Part::Image, Fault::BrokenOff))] {
        let mut pdf = Pdf::new();
        let image = pdf.stream(
            "/Type/XObject/Subtype/Image/Width 400/Height 300/BitsPerComponent 8\
             /ColorSpace/DeviceGray",
            &vec![200; 400 * rows],
        );
        assert_eq!(rendered(pdf.scan(image).bytes()).await, found, "{rows}");
    }
}

/// Each filter, with the content cut in its middle.
#[tokio::test]
async fn content_of_any_filter_that_breaks_off_is_damaged() {
    let content = lines();
    let hex: String = content.bytes().map(|byte| format!("{byte:02x}")).collect();
    let runs = content.as_bytes().chunks(100);
    let runs: Vec<u8> = runs
        .flat_map(|run| [&[run.len() as u8 - 1], run].concat())
        .collect();
    let lzw = weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8);
    let lzw = { lzw }.encode(content.as_bytes()).unwrap();
    for (filter, whole) in [
        ("[/FlateDecode]", deflated(content.as_bytes())),
        ("/ASCIIHexDecode", (hex + ">").into_bytes()),
        ("/RunLengthDecode", [&runs[..], &[128]].concat()),
        ("/LZWDecode", lzw),
    ] {
        let page = |data: &[u8]| {
            let mut pdf = Pdf::new();
            let content = pdf.raw_stream(&format!("/Filter{filter}"), data);
            pdf.page_of(content, "", "").bytes()
        };
        assert_eq!(read(page(&whole)).await, (LINES, None), "{filter}");
        let (lines, found) = read(page(&whole[..whole.len() / 2])).await;
        assert_eq!(found, damage(Part::Content, Fault::BrokenOff), "{filter}");
        assert!(0 < lines && lines < LINES, "{filter}: {lines}");
    }
}

#[tokio::test]
async fn content_that_is_missing_is_damaged() {
    let mut pdf = Pdf::new();
    let bytes = pdf.page_of(77, "", "").bytes();
    assert_eq!(
        read(bytes).await,
        (0, damage(Part::Content, Fault::Missing))
    );
    // One of three parts.
    let mut pdf = Pdf::new();
    let content = pdf.stream("", lines().as_bytes());
    let parts = pdf.add(format!("[{content} 0 R 77 0 R {content} 0 R]"));
    let (lines, found) = read(pdf.page_of(parts, "", "").bytes()).await;
    assert_eq!(
        (lines, found),
        (LINES, damage(Part::Content, Fault::Missing))
    );
}

#[tokio::test]
async fn uncompressed_content_that_stops_within_a_text_is_damaged() {
    let content = lines();
    let mut pdf = Pdf::new();
    let cut = pdf.raw_stream("", &content.as_bytes()[..content.len() / 2]);
    let (lines, found) = read(pdf.page_of(cut, "", "").bytes()).await;
    assert_eq!(found, damage(Part::Content, Fault::BrokenOff));
    assert!(0 < lines && lines < LINES, "{lines}");
}

#[tokio::test]
async fn a_font_or_a_drawing_that_is_cut_or_missing_is_damaged() {
    let drawn = deflated(lines().as_bytes());
    let drawing = "/Type/XObject/Subtype/Form/BBox[0 0 600 900]/Filter/FlateDecode";
    for (drawing_data, fault) in [(&drawn[..], None), (&drawn[..90], Some(Fault::BrokenOff))] {
        let mut pdf = Pdf::new();
        let form = pdf.raw_stream(drawing, drawing_data);
        let content = pdf.stream("", b"/X Do");
        let bytes = pdf
            .page_of(content, &format!("/XObject<</X {form} 0 R>>"), "")
            .bytes();
        let part = Part::Drawing;
        assert_eq!(
            read(bytes).await.1,
            fault.map(|fault| Damage { part, fault })
        );
    }
    let map = deflated(&b"1 beginbfchar <41> <0041> endbfchar ".repeat(9));
    for (object, fault) in [("77 0 R", Fault::Missing), ("4 0 R", Fault::BrokenOff)] {
        let mut pdf = Pdf::new();
        pdf.raw_stream("/Filter/FlateDecode", &map[..map.len() / 2]);
        pdf.set(
            3,
            format!("<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode {object}>>"),
        );
        let bytes = pdf.page(&lines(), "").bytes();
        assert_eq!(read(bytes).await.1, damage(Part::Font, fault), "{object}");
    }
}

#[tokio::test]
async fn a_note_behind_a_missing_one_is_not_lost_in_silence() {
    let page = |notes: fn(usize) -> String| {
        let mut pdf = Pdf::new();
        let note = pdf.add("<</Subtype/Text/Rect[0 0 9 9]/Contents(a note)>>");
        let more = format!("/Annots[{}]", notes(note));
        pdf.page(&lines(), &more).bytes()
    };
    let missing = damage(Part::Drawing, Fault::Missing);
    let behind = page(|note| format!("77 0 R {note} 0 R"));
    assert_eq!(read(behind).await, (LINES, missing));
    // A note that was deleted, and its reference was not.
    let deleted = page(|note| format!("{note} 0 R 77 0 R"));
    assert_eq!(read(deleted).await, (LINES, None));
}

#[tokio::test]
async fn what_a_page_does_not_use_is_not_its_damage() {
    let mut pdf = Pdf::new();
    let form = pdf.raw_stream("/Type/XObject/Subtype/Form/Filter/FlateDecode", b"torn");
    let content = pdf.stream("", lines().as_bytes());
    let resources = format!("/XObject<</X {form} 0 R/Y 77 0 R>>");
    let bytes = pdf.page_of(content, &resources, "").bytes();
    assert_eq!(read(bytes).await, (LINES, None));
}

/// A page whose font is in an object stream.
fn with_object_stream(cut: usize) -> Vec<u8> {
    let font = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>";
    let objects = format!("9 0 {font} {}", "% behind the font ".repeat(40));
    let mut packed = deflated(objects.as_bytes());
    packed.truncate(packed.len() - cut);
    let content = lines();
    let head = format!(
        "%PDF-1.5\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n\
         2 0 obj\n<</Type/Pages/Count 1/Kids[3 0 R]>>\nendobj\n\
         3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R\
         /Resources<</Font<</F 9 0 R>>>>>>\nendobj\n\
         4 0 obj\n<</Length {}>>\nstream\n{content}\nendstream\nendobj\n\
         5 0 obj\n<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length {}>>\nstream\n",
        content.len(),
        packed.len()
    );
    let mut file = [head.as_bytes(), &packed, b"\nendstream\nendobj\n"].concat();
    let place = |number: usize| {
        let wanted = format!("{number} 0 obj");
        let mut places = file.windows(wanted.len());
        places
            .position(|window| window == wanted.as_bytes())
            .unwrap() as u32
    };
    let in_file = |number| [&[1_u8][..], &place(number).to_be_bytes(), &[0]].concat();
    let mut entries = vec![vec![0; 6]];
    entries.extend((1..=5).map(in_file));
    entries.extend([vec![0; 6], vec![0; 6], vec![0; 6], vec![2, 0, 0, 0, 5, 0]]);
    let (entries, at) = (entries.concat(), file.len());
    let table = format!(
        "10 0 obj\n<</Type/XRef/Size 10/W[1 4 1]/Root 1 0 R/Length {}>>\nstream\n",
        entries.len()
    );
    file.extend([table.as_bytes(), &entries].concat());
    file.extend(format!("\nendstream\nendobj\nstartxref\n{at}\n%%EOF\n").bytes());
    file
}

#[tokio::test]
async fn a_page_with_an_object_in_a_cut_object_stream_is_damaged() {
    assert_eq!(read(with_object_stream(0)).await, (LINES, None));
    // The font itself can still be read.
    let found = damage(Part::Font, Fault::Corrupt);
    assert_eq!(read(with_object_stream(8)).await, (LINES, found));
}
