//! The letters and the direction of text.

use super::*;

async fn read(path: &Path) -> String {
    let pages = all(&reader(Limits::default()), path).await;
    text(&pages[0]).to_owned()
}

async fn case(name: &str) -> String {
    read(&fixture("cases").join(name)).await
}

/// A font whose codes from `A` on stand for these characters.
fn mapped(characters: &str, content: &str) -> Stored {
    let mut pdf = make::Pdf::new();
    let mut map = "1 begincodespacerange <00> <FF> endcodespacerange\n".to_owned();
    for (code, char) in (0x41..).zip(characters.chars()) {
        map += &format!(
            "1 beginbfchar <{code:02X}> <{:04X}> endbfchar\n",
            char as u32
        );
    }
    let map = pdf.raw_stream("", map.as_bytes());
    pdf.set(
        3,
        format!(
            "<</Type/Font/Subtype/Type1/BaseFont/Courier/Encoding/WinAnsiEncoding/ToUnicode {map} 0 R>>"
        ),
    );
    Stored::new("letters.pdf", pdf.page(content, "").bytes())
}

#[tokio::test]
async fn words_from_right_to_left_are_read_from_the_right() {
    assert_eq!(case("he2.pdf").await, "שלום עולם\n");
}

#[tokio::test]
async fn a_shown_line_is_read_from_right_to_left_with_its_numbers_and_words() {
    // As a program draws it: each glyph where it is seen, from left to right.
    let line = "BT /F 12 Tf 60 700 Td (ABCD EFGH IJKL) Tj ET";
    let hebrew = mapped("2026תנשבPDFץ", line);
    assert_eq!(read(hebrew.path()).await, "ץPDF בשנת 2026\n");
    // As another one does: in the order of reading, each glyph placed by itself.
    let placed: String = "ABCDE"
        .chars()
        .zip([96.0, 88.8, 81.6, 74.4, 67.2])
        .map(|(char, x)| format!("1 0 0 1 {x} 700 Tm ({char}) Tj "))
        .collect();
    let arabic = mapped("مرحبا", &format!("BT /F 12 Tf {placed} ET"));
    assert_eq!(read(arabic.path()).await, "مرحبا\n");
}

#[tokio::test]
async fn a_hidden_line_of_an_ocr_program_is_in_the_order_of_reading() {
    let line = "BT 3 Tr /F 12 Tf 60 700 Td (ABCD EF GHI) Tj ET";
    let hidden = mapped("שלום13abc", line);
    assert_eq!(read(hidden.path()).await, "שלום 13 abc\n");
    // Tesseract mirrors the line, which then runs to the left from its right end.
    let line = "BT 3 Tr /F 12 Tf -1 0 0 1 200 700 Tm (ABCD) Tj -1 0 0 1 200 680 Tm (DCBA) Tj ET";
    let mirrored = mapped("שלום", line);
    assert_eq!(read(mirrored.path()).await, "שלום\nםולש\n");
}

#[tokio::test]
async fn the_right_column_comes_first_where_text_is_read_from_the_right() {
    let column = |x: u32, line: &str| -> String {
        let lines = (0..8).map(|row| format!("1 0 0 1 {x} {} Tm ({line}) Tj ", 700 - 14 * row));
        lines.collect()
    };
    let content = format!(
        "BT /F 10 Tf {}{} ET",
        column(60, "ABAB BABA ABAB BABA ABAB"),
        column(320, "CDCD DCDC CDCD DCDC CDCD")
    );
    let page = mapped("אבגד", &content);
    let text = read(page.path()).await;
    let first: Vec<&str> = text.lines().take(8).collect();
    assert!(first.iter().all(|line| line.contains('ג')), "{text}");
}

#[tokio::test]
async fn an_accent_joins_the_letter_over_which_it_is_drawn() {
    assert_eq!(case("tex.pdf").await, "Schrödinger\nÉcole\n");
    let alone = "The accent ´ stands alone, and ¨ too.\n";
    assert_eq!(case("tex-alone.pdf").await, alone);
}

#[tokio::test]
async fn compatibility_characters_of_scripts_become_letters_and_signs_stay() {
    assert_eq!(case("kangxi.pdf").await, "方立一青\n");
    assert_eq!(case("x2.pdf").await, "x² = 4 and H²O\n");
}
