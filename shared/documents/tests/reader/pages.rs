//! Reading page by page, and pages that cannot be read.

use std::time::{Duration, Instant};

use documents::reader::PageText;

use super::make::{Pdf, book, gigabyte, recall, text as shown};
use super::*;

#[tokio::test]
async fn every_word_of_every_page_is_found() {
    let (bytes, told) = book(12, 250);
    let book = Stored::new("book.pdf", bytes);
    let pages = all(&reader(Limits::default()), book.path()).await;
    assert_eq!(pages.len(), 12);
    for (page, told) in pages.iter().zip(&told) {
        assert_eq!(recall(told, text(page)), 1.0, "page {}", page.number);
        assert!(page.text.as_ref().unwrap().usable);
    }
}

#[tokio::test]
async fn reading_can_start_at_any_page() {
    let reader = reader(Limits::default());
    let mut pages = reader.pages(&fixture("forty-pages.pdf"), 39);
    for number in [39, 40] {
        let page = pages.next().await.unwrap().unwrap();
        assert_eq!(page.number, number);
        assert!(text(&page).starts_with(&format!("Page {number}. ")));
    }
    assert_eq!(pages.next().await.unwrap(), None);
    assert_eq!(pages.next().await.unwrap(), None);
    let mut behind = reader.pages(&fixture("forty-pages.pdf"), 41);
    assert_eq!(behind.next().await.unwrap(), None);
}

#[tokio::test]
async fn a_scanned_page_has_no_usable_text_and_an_image() {
    let reader = reader(Limits::default());
    let pages = all(&reader, &fixture("tides.pdf")).await;
    let usable: Vec<bool> = pages
        .iter()
        .map(|page| page.text.as_ref().unwrap().usable)
        .collect();
    assert_eq!(usable, [true, false]);
    let image = reader.render(&fixture("tides.pdf"), 2, 100).await.unwrap();
    assert!(image.png.starts_with(b"\x89PNG"));
    assert_eq!((image.width, image.height), (826, 1169));
}

#[tokio::test]
async fn an_empty_page_has_nothing_to_read() {
    let blank = Stored::new("blank.pdf", Pdf::new().page("", "").bytes());
    let pages = all(&reader(Limits::default()), blank.path()).await;
    let nothing = PageText {
        text: String::new(),
        usable: true,
        damage: None,
    };
    assert_eq!(pages[0].text, Ok(nothing));
}

#[tokio::test]
async fn text_outside_the_page_is_not_read() {
    let content = shown(60.0, 700.0, 12.0, &["on the page".to_owned()])
        + &shown(60.0, 2000.0, 12.0, &["above the page".to_owned()]);
    let page = Stored::new("page.pdf", Pdf::new().page(&content, "").bytes());
    let pages = all(&reader(Limits::default()), page.path()).await;
    assert_eq!(text(&pages[0]), "on the page\n");
}

#[tokio::test]
async fn a_page_that_does_not_exist_cannot_be_rendered() {
    let reader = reader(Limits::default());
    for page in [0, 3] {
        let error = reader
            .render(&fixture("tides.pdf"), page, 100)
            .await
            .unwrap_err();
        assert_eq!(error.code(), "page_missing");
    }
}

#[tokio::test]
async fn a_scan_with_a_damaged_image_is_damaged_and_not_empty() {
    let mut pdf = Pdf::new();
    let image = "/Type/XObject/Subtype/Image/Width 800/Height 900/BitsPerComponent 8/ColorSpace/DeviceGray/Filter/DCTDecode";
    let image = pdf.raw_stream(image, b"no JPEG at all");
    let scan = Stored::new("scan.pdf", pdf.scan(image).bytes());
    let reader = reader(Limits::default());
    assert!(
        !all(&reader, scan.path()).await[0]
            .text
            .as_ref()
            .unwrap()
            .usable
    );
    let image = reader.render(scan.path(), 1, 200).await.unwrap();
    let told = image.damage.unwrap().to_string();
    assert_eq!(told, "the page is damaged: an image on it breaks off");
}

/// An expensive page between two pages of prose.
fn between(costs: impl FnOnce(&mut Pdf)) -> Stored {
    let mut pdf = Pdf::new();
    pdf.page(&shown(60.0, 700.0, 12.0, &["before".to_owned()]), "");
    costs(&mut pdf);
    pdf.page(&shown(60.0, 700.0, 12.0, &["behind".to_owned()]), "");
    Stored::new("costs.pdf", pdf.bytes())
}

async fn middle(limits: Limits, document: &Stored) -> PageError {
    let pages = all(&reader(limits), document.path()).await;
    let numbers: Vec<u32> = pages.iter().map(|page| page.number).collect();
    assert_eq!(numbers, [1, 2, 3]);
    assert_eq!((text(&pages[0]), text(&pages[2])), ("before\n", "behind\n"));
    pages[1].text.clone().unwrap_err()
}

#[tokio::test]
async fn a_page_that_expands_beyond_the_memory_limit_fails_alone() {
    let document = between(|pdf| {
        let bomb = pdf.raw_stream("/Filter[/FlateDecode/RunLengthDecode]", &gigabyte());
        pdf.page_of(bomb, "", "");
    });
    let error = middle(Limits::default(), &document).await;
    assert_eq!(error, PageError::TooMuchMemory { limit: 512 << 20 });
}

#[tokio::test]
async fn an_endless_page_fails_alone_at_its_time_limit() {
    let document = between(|pdf| {
        // Each form draws the next one ten times: 10⁹ drawings.
        let mut inner = pdf.raw_stream("/Type/XObject/Subtype/Form/BBox[0 0 9 9]", b"0 0 1 1 re f");
        for _ in 0..9 {
            let dictionary = format!(
                "/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X {inner} 0 R>>>>"
            );
            inner = pdf.raw_stream(&dictionary, "/X Do ".repeat(10).as_bytes());
        }
        let content = pdf.stream("", b"/X Do");
        pdf.page_of(content, &format!("/XObject<</X {inner} 0 R>>"), "");
    });
    let page_time = Duration::from_secs(1);
    let limits = Limits {
        page_time,
        ..Limits::default()
    };
    let began = Instant::now();
    let error = middle(limits, &document).await;
    assert_eq!(error, PageError::TookTooLong { limit: page_time });
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_page_on_a_busy_machine_has_the_time_of_its_processor() {
    let page_time = Duration::from_millis(800);
    let reader = reader(Limits {
        page_time,
        ..Limits::default()
    });
    // More pages than the pipe between the processes holds.
    let big = Stored::new("book.pdf", book(200, 300).0);
    let mut pages = reader.pages(big.path(), 1);
    pages.next().await.unwrap();
    let child = children(big.path()).remove(0);
    let signal = |name: &str| {
        let sent = std::process::Command::new("kill")
            .args([name, &child])
            .status();
        assert!(sent.unwrap().success());
    };
    // A stopped process stands for one that gets no processor.
    signal("-STOP");
    let kept = async {
        tokio::time::sleep(page_time * 2).await;
        signal("-CONT");
    };
    let read = async {
        let mut count = 1;
        while let Some(page) = pages.next().await.unwrap() {
            assert!(page.text.is_ok(), "{page:?}");
            count += 1;
        }
        count
    };
    let ((), count) = tokio::join!(kept, read);
    assert_eq!(count, 200);
}

#[tokio::test]
async fn all_pages_of_a_document_share_a_time_limit() {
    let time = Duration::from_millis(1);
    let reader = reader(Limits {
        time,
        ..Limits::default()
    });
    let mut pages = reader.pages(&fixture("forty-pages.pdf"), 1);
    let error = loop {
        match pages.next().await {
            Ok(page) => assert!(page.is_some(), "all pages were read in a millisecond"),
            Err(error) => break error,
        }
    };
    assert!(
        matches!(error, DocumentError::TookTooLong { limit } if limit == time),
        "{error}"
    );
}

#[test]
fn no_child_reads_the_memory_or_environment_of_its_parent() {
    documents::reader::Reader::this_program(Limits::default()).unwrap();
    let is_closed = rustix::process::dumpable_behavior().unwrap();
    assert_eq!(is_closed, rustix::process::DumpableBehavior::NotDumpable);
}

#[tokio::test]
async fn a_child_does_not_inherit_the_environment() {
    // The child cannot print its environment, so the test reads it from the kernel while the child
    // waits for its output to be read.
    let reader = reader(Limits::default());
    let big = Stored::new("book.pdf", book(400, 300).0);
    let mut pages = reader.pages(big.path(), 1);
    pages.next().await.unwrap();
    let children = children(big.path()).into_iter();
    let environments = children.map(|child| fs::read(format!("/proc/{child}/environ")).unwrap());
    assert_eq!(environments.collect::<Vec<_>>(), [b""]);
}

/// The processes of this one that read a document.
fn children(path: &Path) -> Vec<String> {
    let own = std::process::id().to_string();
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let children = processes.filter_map(|entry| {
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        let fields = stat.rsplit(')').next()?;
        let parent = fields.split_whitespace().nth(1)?;
        let told = fs::read(entry.path().join("cmdline")).ok()?;
        let ours = String::from_utf8_lossy(&told).contains(path.to_str()?);
        (parent == own && ours).then(|| entry.file_name().into_string().ok())?
    });
    children.collect()
}
