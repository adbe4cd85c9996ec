//! The values of forms: each once, in its place.

use super::make::{Pdf, text as shown};
use super::*;

async fn read(path: &Path) -> String {
    let pages = all(&reader(Limits::default()), path).await;
    text(&pages[0]).to_owned()
}

async fn case(name: &str) -> String {
    read(&fixture("cases").join(name)).await
}

#[tokio::test]
async fn a_value_without_a_drawing_or_with_a_stale_one_is_read_in_its_place() {
    for name in ["form-v.pdf", "form-stale.pdf"] {
        assert_eq!(case(name).await, "Name: Jane Smith\n\nAgree: ✔\n", "{name}");
    }
}

#[tokio::test]
async fn a_ticked_box_is_told_from_an_empty_one() {
    assert_eq!(case("form-tick.pdf").await, "Agree: ✔\n\nRefuse:\n");
}

#[tokio::test]
async fn a_note_is_read_if_it_is_shown() {
    assert_eq!(case("freetext.pdf").await, "Name: Jane Smith\n\nAgree:\n");
    assert_eq!(case("freetext-hidden.pdf").await, "Name:\n\nAgree:\n");
}

/// The text of a page with a label and one field at its right.
async fn filled(field: &str, page: &str) -> String {
    let mut pdf = Pdf::new();
    let drawing = pdf.raw_stream(
        "/Type/XObject/Subtype/Form/BBox[0 0 200 20]/Resources<</Font<</F 3 0 R>>>>",
        shown(2.0, 5.0, 12.0, &["drawn".to_owned()]).as_bytes(),
    );
    let widget = pdf.add(format!(
        "<</Subtype/Widget/Rect[120 694 320 714]/T(a){}>>",
        field.replace("DRAWN", &format!("/AP<</N {drawing} 0 R>>"))
    ));
    let form = format!("<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[{widget} 0 R]>>>>");
    pdf.set(1, form);
    let content = shown(60.0, 700.0, 12.0, &["Name:".to_owned()]) + page;
    let bytes = pdf
        .page(&content, &format!("/Annots[{widget} 0 R]"))
        .bytes();
    read(Stored::new("form.pdf", bytes).path()).await
}

#[tokio::test]
async fn each_kind_of_value_is_read_once() {
    for (field, expected) in [
        ("/FT/Tx/V(Jane Smith)", "Name: Jane Smith\n"),
        ("/FT/Tx/V<FEFF05E905DC05D505DD>", "Name: שלום\n"),
        // The drawing is what a person sees.
        ("/FT/Tx/V(stored)DRAWN", "Name: drawn\n"),
        (
            "/FT/Ch/V(de)/Opt[[(de)(Germany)][(fr)(France)]]",
            "Name: Germany\n",
        ),
        ("/FT/Ch/V(de)", "Name: de\n"),
        ("/Parent<</FT/Tx/V(above)>>", "Name: above\n"),
        ("/FT/Btn/Ff 65536/V/Yes/AS/Yes", "Name:\n"),
        ("/FT/Tx/Ff 8192/V(secret)", "Name:\n"),
        ("/FT/Tx/F 2/V(hidden)", "Name:\n"),
        ("/FT/Tx/V( )", "Name:\n"),
        ("/FT/Sig/V<</Type/Sig>>", "Name:\n"),
    ] {
        assert_eq!(filled(field, "").await, expected, "{field}");
    }
    // The page itself shows the value already.
    let page = shown(122.0, 700.0, 12.0, &["Jane Smith".to_owned()]);
    let flattened = filled("/FT/Tx/V(Jane Smith)", &page).await;
    assert_eq!(flattened, "Name: Jane Smith\n");
}

#[tokio::test]
async fn a_form_on_a_rotated_page_has_its_values_in_their_places() {
    let mut pdf = Pdf::new();
    let widget = pdf.add("<</Subtype/Widget/FT/Tx/V(Jane)/Rect[120 694 320 714]>>");
    // On the rotated page this text stands upright, as the value does on the page that is not.
    let content = shown(60.0, 700.0, 12.0, &["Name:".to_owned()]);
    let more = format!("/Rotate 90/Annots[{widget} 0 R]");
    let bytes = pdf.page(&content, &more).bytes();
    let stored = Stored::new("form.pdf", bytes);
    assert_eq!(read(stored.path()).await, "Name: Jane\n");
}
