//! The order in which a page is read.

use super::make::{PAPER, Pdf, text as shown};
use super::*;

/// Sentences that name their position, each as wide as a column.
fn column(name: &str, lines: usize) -> Vec<String> {
    (1..=lines)
        .map(|line| format!("{name} column, sentence number {line}, and more"))
        .collect()
}

async fn read(content: &str, more: &str) -> Vec<String> {
    let page = Stored::new("page.pdf", Pdf::new().page(content, more).bytes());
    let pages = all(&reader(Limits::default()), page.path()).await;
    let lines = text(&pages[0]).lines().filter(|line| !line.is_empty());
    lines.map(str::to_owned).collect()
}

#[tokio::test]
async fn two_columns_are_read_in_turn_in_any_drawing_order() {
    let (left, right) = (column("left", 30), column("right", 30));
    let expected = [left.clone(), right.clone()].concat();
    let blocks = shown(50.0, 780.0, 10.0, &left) + &shown(310.0, 780.0, 10.0, &right);
    assert_eq!(read(&blocks, "").await, expected);
    let row = |(number, (left, right)): (usize, (&String, &String))| {
        let y = 780.0 - 13.0 * number as f64;
        let cell = |x, line: &String| shown(x, y, 10.0, std::slice::from_ref(line));
        cell(50.0, left) + &cell(310.0, right)
    };
    let rows: String = left.iter().zip(&right).enumerate().map(row).collect();
    assert_eq!(read(&rows, "").await, expected);
    let reversed = shown(310.0, 774.0, 10.0, &right) + &shown(50.0, 780.0, 10.0, &left);
    assert_eq!(read(&reversed, "").await, expected);
}

#[tokio::test]
async fn a_title_and_a_heading_are_read_at_their_positions() {
    let one = |text: &str| vec![text.to_owned()];
    let title = one("A title that goes across the whole page");
    let heading = one("A heading in the middle that crosses the gutter");
    let parts = ["upper left", "upper right", "lower left", "lower right"].map(|it| column(it, 8));
    let [upper_left, upper_right, lower_left, lower_right] = parts;
    let content = shown(100.0, 800.0, 20.0, &title)
        + &shown(50.0, 760.0, 9.0, &upper_left)
        + &shown(310.0, 760.0, 9.0, &upper_right)
        + &shown(140.0, 640.0, 14.0, &heading)
        + &shown(50.0, 610.0, 9.0, &lower_left)
        + &shown(310.0, 610.0, 9.0, &lower_right);
    let expected = [
        title,
        upper_left,
        upper_right,
        heading,
        lower_left,
        lower_right,
    ];
    assert_eq!(read(&content, "").await, expected.concat());
}

#[tokio::test]
async fn a_rotated_page_is_read_in_its_displayed_orientation() {
    let (left, right) = (column("left", 10), column("right", 10));
    let expected = [left.clone(), right.clone()].concat();
    let [width, height] = PAPER;
    for (degrees, matrix) in [
        (90, format!("0 1 -1 0 {width} 0 cm ")),
        (180, format!("-1 0 0 -1 {width} {height} cm ")),
        (270, format!("0 -1 1 0 0 {height} cm ")),
    ] {
        let content =
            matrix + &shown(50.0, 500.0, 10.0, &left) + &shown(310.0, 500.0, 10.0, &right);
        let more = format!("/Rotate {degrees}");
        assert_eq!(read(&content, &more).await, expected, "{degrees} degrees");
    }
}

#[tokio::test]
async fn sideways_text_comes_after_upright_text() {
    let stamp = "arXiv:2611.00001v1 [physics.ao-ph] 1 Nov 2026".to_owned();
    let body = column("the only", 20);
    let content = format!(
        "q 0 1 -1 0 30 200 cm {} Q {}",
        shown(0.0, 0.0, 16.0, std::slice::from_ref(&stamp)),
        shown(60.0, 780.0, 11.0, &body)
    );
    assert_eq!(read(&content, "").await, [body, vec![stamp]].concat());
}

#[tokio::test]
async fn a_word_hyphenated_at_a_line_end_is_rejoined() {
    let lines = ["The water is stret-", "ched along a line"].map(str::to_owned);
    let read = read(&shown(60.0, 700.0, 12.0, &lines), "").await;
    assert_eq!(read, ["The water is stretched along a line"]);
}

#[tokio::test]
async fn words_are_separated_even_if_no_spaces_are_drawn() {
    let content = "BT /F 12 Tf 60 700 Td [(No)-300(spaces)-300(are)-300(drawn)] TJ ET";
    assert_eq!(read(content, "").await, ["No spaces are drawn"]);
}
