//! Valid documents, and documents that are incomplete.

use documents::reader::DocumentKind;

use super::make::{Pdf, book, text as shown};
use super::*;

#[tokio::test]
async fn a_document_has_its_kind_and_page_count() {
    let reader = reader(Limits::default());
    let document = reader.inspect(&fixture("forty-pages.pdf")).await.unwrap();
    let (kind, pages) = (DocumentKind::Pdf, 40);
    assert_eq!(document, Document { kind, pages });
}

#[tokio::test]
async fn a_file_cut_at_any_point_is_truncated() {
    let whole = book(6, 200).0;
    for parts in 1..20 {
        let cut = Stored::new("book.pdf", &whole[..whole.len() * parts / 20]);
        let error = refusal(&cut).await;
        assert!(
            matches!(error, DocumentError::Truncated),
            "{parts}/20: {error}"
        );
    }
}

#[tokio::test]
async fn bytes_before_and_behind_a_whole_document_are_no_damage() {
    let whole = fs::read(fixture("tides.pdf")).unwrap();
    let expected = all(&reader(Limits::default()), &fixture("tides.pdf")).await;
    let junk = "x".repeat(5_596);
    let without_marker = whole.strip_suffix(b"%%EOF\n").unwrap();
    // Linearized, and without the last line break: a byte shorter than it declares.
    let linearized = fs::read(fixture("cases/end-f.pdf")).unwrap();
    for (how, bytes) in [
        ("behind", [&whole[..], junk.as_bytes()].concat()),
        ("before", [&junk.as_bytes()[..1_100], &whole].concat()),
        ("without the end marker", without_marker.to_vec()),
        ("linearized", linearized),
    ] {
        let stored = Stored::new("tides.pdf", bytes);
        assert_eq!(
            all(&reader(Limits::default()), stored.path()).await,
            expected,
            "{how}"
        );
    }
}

#[tokio::test]
async fn a_linearized_file_cut_at_any_point_is_truncated() {
    let whole = fs::read(fixture("cases/end-f.pdf")).unwrap();
    for parts in 1..20 {
        let cut = Stored::new("tides.pdf", &whole[..whole.len() * parts / 20]);
        let error = refusal(&cut).await;
        assert!(
            matches!(error, DocumentError::Truncated),
            "{parts}/20: {error}"
        );
    }
}

#[tokio::test]
async fn an_empty_file_is_empty() {
    let error = refusal(&Stored::new("nothing.pdf", "")).await;
    assert!(matches!(error, DocumentError::Empty), "{error}");
}

#[tokio::test]
async fn a_zip_named_as_a_pdf_is_reported_as_a_zip() {
    let error = refusal(&Stored::new("report.pdf", b"PK\x03\x04\x14\0\0\0")).await;
    assert_eq!(error.code(), "document_misnamed");
    let told = error.to_string();
    assert!(
        told.contains("named as a PDF") && told.contains("a ZIP archive"),
        "{told}"
    );
}

#[tokio::test]
async fn a_pdf_is_refused_with_a_wrong_extension_and_read_without_one() {
    let bytes = book(1, 50).0;
    let error = refusal(&Stored::new("holiday.jpg", &bytes)).await;
    assert_eq!(error.code(), "document_misnamed");
    let nameless = Stored::new("upload", &bytes);
    let document = reader(Limits::default())
        .inspect(nameless.path())
        .await
        .unwrap();
    assert_eq!(document.kind, DocumentKind::Pdf);
}

#[tokio::test]
async fn an_unrecognised_file_is_of_an_unknown_kind() {
    let error = refusal(&Stored::new("notes.txt", "just a text")).await;
    assert_eq!(error.code(), "document_unknown_kind");
    assert!(
        error
            .to_string()
            .contains("only PDF, PNG, JPEG, TIFF and WebP"),
        "{error}"
    );
}

#[tokio::test]
async fn a_document_that_needs_a_password_is_encrypted() {
    let mut pdf = Pdf::new();
    pdf.page(&shown(60.0, 700.0, 12.0, &["secret".to_owned()]), "");
    let digits = "00".repeat(32);
    let encrypt = pdf.add(format!(
        "<</Filter/Standard/V 2/R 3/Length 128/P -44/O<{digits}>/U<{digits}>>>"
    ));
    let trailer = format!("/Encrypt {encrypt} 0 R/ID[<00112233><00112233>]");
    let error = refusal(&Stored::new("secret.pdf", pdf.bytes_with(&trailer))).await;
    assert!(matches!(error, DocumentError::Encrypted), "{error}");
}

#[tokio::test]
async fn a_document_above_the_page_or_byte_limit_is_refused() {
    let bytes = book(6, 50).0;
    let size = bytes.len() as u64;
    let book = Stored::new("book.pdf", bytes);
    let with = |pages, bytes| {
        let limits = Limits {
            pages,
            bytes,
            ..Limits::default()
        };
        reader(limits)
    };
    assert_eq!(with(6, size).inspect(book.path()).await.unwrap().pages, 6);
    let error = with(5, size).inspect(book.path()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the document has 6 pages, at most 5 can be read"
    );
    let error = with(6, size - 1).inspect(book.path()).await.unwrap_err();
    assert_eq!(error.code(), "document_too_large");
}

#[tokio::test]
async fn a_reader_that_cannot_start_is_not_an_error_of_the_document() {
    let reader = Reader::with_program("/nowhere/at/all", Limits::default());
    let error = reader.inspect(&fixture("tides.pdf")).await.unwrap_err();
    assert_eq!(error.code(), "document_reader_failed");
    assert!(error.is_transient());
    let error = super::reader(Limits::default())
        .inspect(Path::new("/nowhere/at/all.pdf"))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "document_reader_failed");
}
