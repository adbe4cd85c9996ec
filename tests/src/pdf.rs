//! PDFs of plain text: one page per text, one line per line of the text, in Helvetica.

use std::fmt::Write as _;

/// The distance of lines and the position of the first one, in points of an A4 page.
const LEADING: u32 = 16;
const TOP: u32 = 780;

/// A PDF with one page per text; ASCII only.
pub fn of(pages: &[String]) -> Vec<u8> {
    // 1 is the catalogue, 2 the page tree, 3 the font. Each page has an object and a stream.
    let page_object = |index: usize| 4 + 2 * index;
    let kids: Vec<String> = (0..pages.len())
        .map(|index| format!("{} 0 R", page_object(index)))
        .collect();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!(
            "<< /Type /Pages /Kids [{}] /Count {} >>",
            kids.join(" "),
            pages.len()
        ),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    for (index, text) in pages.iter().enumerate() {
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {} 0 R \
             /Resources << /Font << /F1 3 0 R >> >> >>",
            page_object(index) + 1
        ));
        let drawn = drawing(text);
        objects.push(format!(
            "<< /Length {} >>\nstream\n{drawn}\nendstream",
            drawn.len()
        ));
    }
    file(&objects)
}

/// The operators that show a text.
fn drawing(text: &str) -> String {
    let mut drawn = format!("BT /F1 11 Tf {LEADING} TL 50 {TOP} Td");
    for line in text.lines() {
        let escaped = line
            .replace('\\', "\\\\")
            .replace('(', "\\(")
            .replace(')', "\\)");
        let _ = write!(drawn, " ({escaped}) Tj T*");
    }
    drawn + " ET"
}

/// The objects with their cross-reference table (ISO 32000-1, 7.5).
fn file(objects: &[String]) -> Vec<u8> {
    let mut file = String::from("%PDF-1.4\n");
    let mut places = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        places.push(file.len());
        let _ = write!(file, "{} 0 obj\n{object}\nendobj\n", index + 1);
    }
    let table = file.len();
    let _ = write!(file, "xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for place in places {
        let _ = writeln!(file, "{place:010} 00000 n ");
    }
    let _ = write!(
        file,
        "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n",
        objects.len() + 1
    );
    file.into_bytes()
}
