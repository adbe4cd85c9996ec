//! Documents read by this crate, by `pdftotext` and by `pdf_oxide`, in one table: the share of the
//! words that are found, the share of neighbouring words that are found as neighbours, and whether
//! the reader says that something is missing.
//!
//! `PDF_OXIDE_PYTHON` names a Python that has the package `pdf_oxide`. Without it, or without
//! `pdftotext`, the column stays empty.

use std::fmt::Write as _;
use std::process::Command;

use super::make::{Pdf, book, gigabyte, prose, recall, text as shown, words, wrapped};
use super::*;

/// A reader's text, and whether it says that something is missing.
struct Reading {
    text: String,
    told: bool,
}

struct Case {
    name: String,
    bytes: Vec<u8>,
    expected: String,
    /// Whether something is missing, and a reader has to say it.
    lacks: bool,
}

fn case(name: &str, bytes: Vec<u8>, expected: impl Into<String>, lacks: bool) -> Case {
    let (name, expected) = (name.to_owned(), expected.into());
    Case {
        name,
        bytes,
        expected,
        lacks,
    }
}

fn page(content: &str, more: &str) -> Vec<u8> {
    Pdf::new().page(content, more).bytes()
}

fn column(seed: u32, lines: usize) -> Vec<String> {
    wrapped(&prose(seed, 400), 40)
        .into_iter()
        .take(lines)
        .collect()
}

/// Two columns whose lines share their baselines, of prose that is not justified.
fn columns(left: &[String], right: &[String]) -> String {
    shown(50.0, 780.0, 10.0, left) + &shown(310.0, 780.0, 10.0, right)
}

/// A page in a font whose codes from `A` on stand for these characters.
fn mapped(characters: &str) -> Vec<u8> {
    let mut pdf = Pdf::new();
    let mut map = "1 begincodespacerange <00> <FF> endcodespacerange\n".to_owned();
    let codes = (0x41_u8..).zip(characters.chars());
    let mut drawn = String::new();
    for (code, char) in codes {
        let _ = writeln!(
            map,
            "1 beginbfchar <{code:02X}> <{:04X}> endbfchar",
            char as u32
        );
        let _ = write!(drawn, "{code:02X}");
    }
    let map = pdf.raw_stream("", map.as_bytes());
    pdf.set(
        3,
        format!("<</Type/Font/Subtype/Type1/BaseFont/Courier/ToUnicode {map} 0 R>>"),
    );
    pdf.page(&format!("BT /F 12 Tf 60 700 Td <{drawn}> Tj ET"), "")
        .bytes()
}

/// The documents of the other tests.
fn made() -> Vec<Case> {
    let file = |name: &str| fs::read(fixture(name)).unwrap();
    let tides = fs::read_to_string(fixture("tides.txt")).unwrap();
    let (first, _) = tides.split_once("\n\n").unwrap();
    let (one, told) = book(1, 300);
    let (twelve, twelve_told) = book(12, 250);
    let (_, forty_told) = book(40, 300);
    let (left, right) = (column(1, 30), column(2, 30));
    let both = [left.clone(), right.clone()].concat().join("\n");
    let row = |(row, (left, right)): (usize, (&String, &String))| {
        let y = 780.0 - 13.0 * row as f64;
        let cell = |x, line: &String| shown(x, y, 10.0, std::slice::from_ref(line));
        cell(50.0, left) + &cell(310.0, right)
    };
    let by_rows: String = left.iter().zip(&right).enumerate().map(row).collect();
    let thirds = [3, 4, 5].map(|seed| wrapped(&prose(seed, 90), 26));
    let three = thirds.iter().zip([40.0, 225.0, 410.0]);
    let three: String = three
        .map(|(lines, x)| shown(x, 780.0, 9.0, lines))
        .collect();
    let title = vec!["A title that goes across both of the columns".to_owned()];
    let under_title = shown(100.0, 815.0, 20.0, &title) + &columns(&left, &right);
    let turned = |degrees: u32, matrix: &str| {
        let lower = |x, lines: &[String]| shown(x, 500.0, 10.0, lines);
        let content = lower(50.0, &left[..20]) + &lower(310.0, &right[..20]);
        let content = format!("{matrix} cm {content}");
        page(&content, &format!("/Rotate {degrees}"))
    };
    let turned_told = [&left[..20], &right[..20]].concat().join("\n");
    let stamp = "arXiv:2611.00001v1 1 Nov 2026".to_owned();
    let stamped = format!(
        "q 0 1 -1 0 30 200 cm {} Q {}",
        shown(0.0, 0.0, 16.0, std::slice::from_ref(&stamp)),
        shown(60.0, 780.0, 11.0, &left)
    );
    let divided = ["The water is stret-", "ched along a line"].map(str::to_owned);
    let commands = [
        (
            "git commit --amend",
            "replaces the last commit of the branch",
        ),
        ("git switch --create name", "begins a branch here"),
        (
            "git restore --staged file",
            "takes a file out of the next commit",
        ),
        ("git log --follow file", "shows all commits of a file"),
        ("git stash push", "puts changes aside for now"),
        ("git rebase --interactive", "edits the commits that follow"),
    ];
    let (keys, meanings): (Vec<_>, Vec<_>) = commands.iter().copied().unzip();
    let list = |them: Vec<&str>| them.into_iter().map(str::to_owned).collect::<Vec<_>>();
    let card = shown(60.0, 700.0, 11.0, &list(keys)) + &shown(260.0, 700.0, 11.0, &list(meanings));
    let card_told = commands
        .map(|(key, meaning)| format!("{key} {meaning}"))
        .join("\n");
    let bomb = {
        let mut pdf = Pdf::new();
        let content = pdf.raw_stream("/Filter[/FlateDecode/RunLengthDecode]", &gigabyte());
        pdf.page_of(content, "", "").bytes()
    };
    let cycle = {
        let mut pdf = Pdf::new();
        pdf.set(2, "<</Type/Pages/Count 2/Kids[2 0 R 2 0 R]>>");
        pdf.bytes()
    };
    let secret = {
        let mut pdf = Pdf::new();
        pdf.page(&shown(60.0, 700.0, 12.0, &["secret".to_owned()]), "");
        let digits = "00".repeat(32);
        let encrypt = pdf.add(format!(
            "<</Filter/Standard/V 2/R 3/Length 128/P -44/O<{digits}>/U<{digits}>>>"
        ));
        pdf.bytes_with(&format!("/Encrypt {encrypt} 0 R/ID[<00112233><00112233>]"))
    };
    let only_first = {
        let mut pdf = Pdf::new();
        pdf.page(&columns(&left, &right), "");
        pdf.page_of(77, "", "").bytes()
    };
    let spaceless = "BT /F 12 Tf 60 700 Td [(No)-300(spaces)-300(are)-300(drawn)] TJ ET";
    vec![
        case("one page of prose", one, told.join(" "), false),
        case("twelve pages", twelve, twelve_told.join(" "), false),
        case(
            "`forty-pages.pdf`",
            file("forty-pages.pdf"),
            forty_told.join(" "),
            false,
        ),
        case(
            "two columns beside a scan, `tides.pdf`",
            file("tides.pdf"),
            first,
            false,
        ),
        case(
            "two columns",
            page(&columns(&left, &right), ""),
            both.clone(),
            false,
        ),
        case(
            "two columns, drawn by rows",
            page(&by_rows, ""),
            both.clone(),
            false,
        ),
        case(
            "two columns below a title",
            page(&under_title, ""),
            title.concat() + "\n" + &both,
            false,
        ),
        case(
            "three columns",
            page(&three, ""),
            thirds.map(|it| it.join("\n")).join("\n"),
            false,
        ),
        case(
            "turned by 90°",
            turned(90, "0 1 -1 0 595 0"),
            turned_told.clone(),
            false,
        ),
        case(
            "turned by 180°",
            turned(180, "-1 0 0 -1 595 842"),
            turned_told.clone(),
            false,
        ),
        case(
            "turned by 270°",
            turned(270, "0 -1 1 0 0 842"),
            turned_told,
            false,
        ),
        case(
            "a stamp at the side",
            page(&stamped, ""),
            left.join("\n") + "\n" + &stamp,
            false,
        ),
        case(
            "a divided word",
            page(&shown(60.0, 700.0, 12.0, &divided), ""),
            "The water is stretched along a line",
            false,
        ),
        case(
            "no spaces drawn",
            page(spaceless, ""),
            "No spaces are drawn",
            false,
        ),
        case("a reference card", page(&card, ""), card_told, false),
        case(
            "Greek, Cyrillic, Chinese",
            mapped("Παλίρροια Прилив 潮汐"),
            "Παλίρροια Прилив 潮汐",
            false,
        ),
        case("an empty page", page("", ""), "", false),
        case("a page without its content", only_first, both, true),
        case("with a password", secret, "", true),
        case(
            "cut at half, `end-t-half.pdf`",
            {
                let whole = file("tides.pdf");
                whole[..whole.len() / 2].to_vec()
            },
            "",
            true,
        ),
        case("a gigabyte of spaces", bomb, "", true),
        case("a page tree with a cycle", cycle, "", true),
    ]
}

/// The documents that an earlier version read wrongly.
fn cases() -> Vec<Case> {
    let file = |name: &str| fs::read(fixture(name)).unwrap();
    let tides = fs::read_to_string(fixture("tides.txt")).unwrap();
    let (first, _) = tides.split_once("\n\n").unwrap();
    let whole = file("tides.pdf");
    let line = |number: u32| format!("Line {number} of the sworn statement, {}.", 7919 * number);
    let lines: String = (1..=40).map(|number| line(number) + "\n").collect();
    let cases = [
        ("dmg-content-whole", lines.as_str(), false),
        ("dmg-content-half", &lines, true),
        ("dmg-content-flip", &lines, true),
        ("scan-jbig2-noglobals", "", true),
        ("scan-flate-cut", "", true),
        ("he2", "שלום עולם", false),
        ("tex", "Schrödinger École", false),
        ("tex-alone", "The accent ´ stands alone, and ¨ too.", false),
        ("x2", "x² = 4 and H²O", false),
        ("kangxi", "方立一青", false),
        ("form-v", "Name: Jane Smith Agree: ✔", false),
        ("form-tick", "Agree: ✔ Refuse:", false),
        ("form-stale", "Name: Jane Smith Agree: ✔", false),
        ("freetext", "Name: Jane Smith Agree:", false),
        ("freetext-hidden", "Name: Agree:", false),
        ("end-f", first, false),
    ];
    let cases = cases.map(|(name, expected, lacks)| {
        let bytes = file(&format!("cases/{name}.pdf"));
        case(&format!("`{name}.pdf`"), bytes, expected, lacks)
    });
    let junk = "x".repeat(5_596);
    let mut cases = Vec::from(cases);
    let ends = [
        ("`end-a.pdf`", [&whole[..], junk.as_bytes()].concat()),
        ("`end-j-noEOF.pdf`", whole[..whole.len() - 6].to_vec()),
        (
            "`end-h-before1100.pdf`",
            [&junk.as_bytes()[..1_100], &whole].concat(),
        ),
    ];
    cases.extend(ends.map(|(name, bytes)| case(name, bytes, first, false)));
    cases
}

async fn ours(path: &Path) -> Option<Reading> {
    let reader = reader(Limits::default());
    let mut pages = reader.pages(path, 1);
    let mut reading = Reading {
        text: String::new(),
        told: false,
    };
    loop {
        match pages.next().await {
            Ok(Some(Page {
                number,
                text: Ok(page),
            })) => {
                reading.text += &page.text;
                reading.told |= page.damage.is_some();
                // A page that is not usable goes to an OCR engine.
                if !page.usable {
                    let image = reader.render(path, number, 100).await;
                    reading.told |= image.is_ok_and(|image| image.damage.is_some());
                }
            }
            Ok(None) => return Some(reading),
            Ok(Some(_)) => reading.told = true,
            Err(_) => {
                reading.told = true;
                return Some(reading);
            }
        }
    }
}

/// Another program, with a limit of time and memory.
fn other(program: &str, arguments: &[&str], path: &Path) -> Option<Reading> {
    let limited = "ulimit -v 4000000; exec timeout 60 \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", limited, "sh", program]).args(arguments);
    if program == "pdftotext" {
        command.arg(path).arg("-");
    } else {
        command.arg(path);
    }
    let output = command.output().ok()?;
    // The shell's status for a program that does not exist.
    (output.status.code() != Some(127)).then(|| Reading {
        text: String::from_utf8_lossy(&output.stdout).into_owned(),
        told: !output.status.success() || !output.stderr.is_empty(),
    })
}

const OXIDE: &str = "import sys, pdf_oxide\n\
    document = pdf_oxide.PdfDocument(sys.argv[1])\n\
    for page in range(document.page_count()): print(document.extract_text(page))";

/// The share of neighbouring words that are neighbours in the text too.
fn order(there: &str, found: &str) -> f64 {
    let pairs = |text: &str| -> Vec<(String, String)> {
        let words = words(text);
        words
            .windows(2)
            .map(|pair| (pair[0].clone(), pair[1].clone()))
            .collect()
    };
    let (there, mut left) = (pairs(there), pairs(found));
    if there.is_empty() {
        return 1.0;
    }
    let total = there.len() as f64;
    let met = there.iter().filter(|pair| {
        let place = left.iter().position(|it| it == *pair);
        place.map(|place| left.swap_remove(place)).is_some()
    });
    met.count() as f64 / total
}

fn cell(case: &Case, reading: Option<&Reading>) -> String {
    let Some(Reading { text, told }) = reading else {
        return "not here".to_owned();
    };
    let figures = match case.expected.is_empty() {
        true if text.trim().is_empty() => "–".to_owned(),
        true => format!("{} words too many", words(text).len()),
        false => {
            let (words, order) = (recall(&case.expected, text), order(&case.expected, text));
            format!("{words:.2}, {order:.2}")
        }
    };
    let told = match (case.lacks, told) {
        (true, true) => ", told",
        (true, false) => ", **silent**",
        (false, true) => ", complains",
        (false, false) => "",
    };
    figures + told
}

#[tokio::test]
#[ignore = "prints a table beside pdftotext and pdf_oxide, if they are here"]
async fn every_document_beside_other_readers() {
    let python =
        std::env::var("PDF_OXIDE_PYTHON").unwrap_or_else(|_| "python-with-pdf_oxide".into());
    let mut table =
        "| Document | here | `pdftotext` | `pdf_oxide` |\n|---|---|---|---|\n".to_owned();
    for case in made().into_iter().chain(cases()) {
        let stored = Stored::new("document.pdf", &case.bytes);
        let here = ours(stored.path()).await;
        let poppler = other("pdftotext", &[], stored.path());
        let oxide = other(&python, &["-c", OXIDE], stored.path());
        let [here, poppler, oxide] = [here, poppler, oxide].map(|it| cell(&case, it.as_ref()));
        let _ = writeln!(table, "| {} | {here} | {poppler} | {oxide} |", case.name);
        assert!(!here.contains("silent"), "{}: {here}", case.name);
    }
    println!("{table}");
}
