//! Malicious documents. Each leads to a clear error or to a harmless page, within the memory limit
//! and a few seconds.

use std::time::{Duration, Instant};

use super::make::{Pdf, gigabyte, text as shown};
use super::*;

const SOON: Duration = Duration::from_secs(30);

fn page() -> String {
    shown(60.0, 700.0, 12.0, &["a page".to_owned()])
}

/// The result of opening the document.
async fn opened(pdf: &Pdf) -> Result<Document, DocumentError> {
    let stored = Stored::new("hostile.pdf", pdf.bytes());
    let began = Instant::now();
    let opened = reader(Limits::default()).inspect(stored.path()).await;
    assert!(began.elapsed() < SOON);
    opened
}

/// The text of the first page.
async fn first(pdf: &Pdf) -> Result<String, PageError> {
    let stored = Stored::new("hostile.pdf", pdf.bytes());
    let began = Instant::now();
    let page = reader(Limits::default())
        .pages(stored.path(), 1)
        .next()
        .await;
    assert!(began.elapsed() < SOON);
    page.unwrap().unwrap().text.map(|page| page.text)
}

#[tokio::test]
async fn a_page_tree_with_a_cycle_is_broken() {
    let mut pdf = Pdf::new();
    pdf.set(2, "<</Type/Pages/Count 2/Kids[2 0 R 2 0 R]>>");
    assert!(matches!(opened(&pdf).await, Err(DocumentError::Broken)));
}

#[tokio::test]
async fn a_page_tree_that_refers_to_itself_a_billion_times_is_broken() {
    let mut pdf = Pdf::new();
    pdf.set(
        2,
        format!(
            "<</Type/Pages/Count 1000000000/Kids[{}]>>",
            "4 0 R ".repeat(10)
        ),
    );
    for level in 4..12 {
        let next = format!("{} 0 R ", level + 1).repeat(10);
        pdf.add(format!("<</Type/Pages/Count 100000000/Kids[{next}]>>"));
    }
    pdf.add("<</Type/Page/MediaBox[0 0 9 9]>>");
    assert!(matches!(opened(&pdf).await, Err(DocumentError::Broken)));
}

#[tokio::test]
async fn a_very_deep_page_tree_has_one_page() {
    let mut pdf = Pdf::new();
    pdf.set(2, "<</Type/Pages/Count 1/Kids[4 0 R]>>");
    for level in 4..3_000 {
        pdf.add(format!("<</Type/Pages/Count 1/Kids[{} 0 R]>>", level + 1));
    }
    pdf.add("<</Type/Page/MediaBox[0 0 9 9]>>");
    assert_eq!(opened(&pdf).await.unwrap().pages, 1);
}

#[tokio::test]
async fn deeply_nested_objects_break_the_document_and_not_the_reader() {
    let mut pdf = Pdf::new();
    let nested = "[".repeat(50_000) + &"]".repeat(50_000);
    pdf.set(1, format!("<</X {nested}/Type/Catalog/Pages 2 0 R>>"));
    pdf.page(&page(), "");
    assert!(matches!(opened(&pdf).await, Err(DocumentError::Broken)));
}

#[tokio::test]
async fn deeply_nested_content_is_left_out() {
    let mut pdf = Pdf::new();
    let nested = "[".repeat(50_000) + &"]".repeat(50_000) + " TJ ";
    pdf.page(&nested, "");
    assert!(!first(&pdf).await.is_ok_and(|text| text.contains('[')));
    let mut pdf = Pdf::new();
    pdf.page(&("q ".repeat(100_000) + &page()), "");
    assert_ne!(first(&pdf).await, Err(PageError::Missing));
}

#[tokio::test]
async fn a_table_that_is_its_own_predecessor_does_no_harm() {
    let mut pdf = Pdf::new();
    pdf.page(&page(), "");
    let once = pdf.bytes();
    let place = once
        .windows(5)
        .rposition(|window| window == b"xref\n")
        .unwrap();
    let place = once[..place]
        .windows(5)
        .rposition(|window| window == b"xref\n")
        .unwrap_or(place);
    let looped = Stored::new("loop.pdf", pdf.bytes_with(&format!("/Prev {place}")));
    let began = Instant::now();
    let inspected = reader(Limits::default()).inspect(looped.path()).await;
    assert!(began.elapsed() < SOON);
    assert!(matches!(
        inspected,
        Ok(Document { pages: 1, .. }) | Err(DocumentError::Broken)
    ));
}

#[tokio::test]
async fn a_form_that_draws_itself_is_left_out() {
    let mut pdf = Pdf::new();
    let own = 4;
    let form =
        format!("/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X {own} 0 R>>>>");
    assert_eq!(pdf.raw_stream(&form, b"/X Do /X Do"), own);
    let content = pdf.stream("", format!("/X Do {}", page()).as_bytes());
    pdf.page_of(content, &format!("/XObject<</X {own} 0 R>>"), "");
    assert_eq!(first(&pdf).await.unwrap(), "a page\n");
}

#[tokio::test]
async fn a_false_or_self_referring_length_does_no_harm() {
    for length in ["999999999", "-1", "4 0 R"] {
        let mut pdf = Pdf::new();
        let content = format!("<</Length {length}>>\nstream\n{}\nendstream", page());
        let content = pdf.add(content);
        pdf.page_of(content, "", "");
        let stored = Stored::new("length.pdf", pdf.bytes());
        let began = Instant::now();
        let page = reader(Limits::default())
            .pages(stored.path(), 1)
            .next()
            .await;
        assert!(began.elapsed() < SOON);
        assert!(page.is_ok_and(|page| page.is_some()), "{length}");
    }
}

#[tokio::test]
async fn a_document_that_expands_beyond_the_memory_limit_is_refused() {
    let mut pdf = Pdf::new();
    // The table itself is a decompression bomb.
    let table = pdf.raw_stream(
        "/Type/XRef/Size 9/W[1 4 1]/Root 1 0 R/Filter[/FlateDecode/RunLengthDecode]",
        &gigabyte(),
    );
    pdf.page(&page(), "");
    let mut file = pdf.bytes();
    let place = file
        .windows(7)
        .position(|window| window == format!("{table} 0 obj").as_bytes());
    let startxref = file
        .windows(9)
        .rposition(|window| window == b"startxref")
        .unwrap();
    file.truncate(startxref);
    file.extend(format!("startxref\n{}\n%%EOF\n", place.unwrap()).bytes());
    let stored = Stored::new("bomb.pdf", file);
    let began = Instant::now();
    let error = reader(Limits::default())
        .inspect(stored.path())
        .await
        .unwrap_err();
    assert!(began.elapsed() < SOON);
    assert!(
        matches!(error, DocumentError::TooMuchMemory { limit } if limit == 512 << 20),
        "{error}"
    );
}

#[tokio::test]
async fn an_oversized_image_fails_when_the_page_is_rendered() {
    let mut pdf = Pdf::new();
    let image = pdf.raw_stream(
        "/Type/XObject/Subtype/Image/Width 60000/Height 60000/BitsPerComponent 8/ColorSpace/DeviceGray\
         /Filter[/FlateDecode/RunLengthDecode]",
        &gigabyte(),
    );
    let bytes = pdf.scan(image).bytes();
    let stored = Stored::new("huge.pdf", bytes);
    let reader = reader(Limits::default());
    let page = reader
        .pages(stored.path(), 1)
        .next()
        .await
        .unwrap()
        .unwrap();
    assert!(!page.text.unwrap().usable);
    let began = Instant::now();
    let error = reader.render(stored.path(), 1, 200).await.unwrap_err();
    assert!(began.elapsed() < SOON);
    let code = error.code();
    assert!(
        matches!(code, "page_broken" | "page_too_much_memory"),
        "{code}"
    );
}

#[tokio::test]
async fn a_page_of_huge_dimensions_is_rendered_small() {
    let mut pdf = Pdf::new();
    let content = pdf.stream("", page().as_bytes());
    let page = pdf.add(format!(
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 900000 200000]/Contents {content} 0 R/Resources<</Font<</F 3 0 R>>>>>>"
    ));
    pdf.set(2, format!("<</Type/Pages/Count 1/Kids[{page} 0 R]>>"));
    let stored = Stored::new("field.pdf", pdf.bytes());
    let image = reader(Limits::default())
        .render(stored.path(), 1, 300)
        .await
        .unwrap();
    assert_eq!((image.width, image.height), (4_000, 888));
}
