//! Strings that refer to a paper, as people write them, and strings that only look similar.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the answer")]

use documents::{ArxivId, references};
use proptest::prelude::*;

/// The ids that are found, separated by spaces.
fn found(text: &str) -> String {
    let ids: Vec<String> = references::find(text)
        .iter()
        .map(ArxivId::to_string)
        .collect();
    ids.join(" ")
}

fn assert_found(table: &[(&str, &str)]) {
    let wrong: Vec<_> = table
        .iter()
        .map(|&(text, ids)| (text, ids, found(text)))
        .filter(|(_, ids, found)| ids != found)
        .collect();
    assert!(wrong.is_empty(), "text, expected, found: {wrong:#?}");
}

#[test]
fn ids_of_both_styles_are_found_bare() {
    assert_found(&[
        ("2101.00001", "2101.00001"),
        (
            "the very first one, 0704.0001, and 0704.0002v2",
            "0704.0001 0704.0002v2",
        ),
        ("(see 1412.6980)", "1412.6980"),
        ("as in 1706.03762.", "1706.03762"),
        (
            "1706.03762, 1810.04805; 2005.14165",
            "1706.03762 1810.04805 2005.14165",
        ),
        ("1706.03762,1810.04805", "1706.03762 1810.04805"),
        (
            "id_list=2101.00001,hep-th/9901001",
            "2101.00001 hep-th/9901001",
        ),
        ("2101.00001v12: a revision", "2101.00001v12"),
        ("eprint = {2203.02155},", "2203.02155"),
        ("“2203.02155”", "2203.02155"),
        ("`2203.02155`", "2203.02155"),
        ("**2203.02155**", "2203.02155"),
        ("2203.02155.pdf is on my desk", "2203.02155"),
        ("2203.02155v3.pdf", "2203.02155v3"),
        ("Compare 2101.00001–2101.00003", "2101.00001 2101.00003"),
        ("1706.03762\n1810.04805\n", "1706.03762 1810.04805"),
        ("Vergleiche 2101.00001—ein Überblick", "2101.00001"),
        ("hep-th/9901001", "hep-th/9901001"),
        ("[hep-th/9711200]", "hep-th/9711200"),
        ("math.GT/0309136", "math/0309136"),
        (
            "cs.DL/0112017v1, quant-ph/9508027",
            "cs/0112017v1 quant-ph/9508027",
        ),
        ("cond-mat.str-el/0701001", "cond-mat/0701001"),
        ("GR-QC/9310026", "gr-qc/9310026"),
    ]);
}

#[test]
fn prefixes_and_dois_are_found() {
    assert_found(&[
        ("arXiv:2101.00001", "2101.00001"),
        ("ArXiv: 2101.00001v2 [cs.CL] 1 Jan 2021", "2101.00001v2"),
        ("ARXIV:HEP-TH/9901001V2", "hep-th/9901001v2"),
        ("arxiv 1412.6980", "1412.6980"),
        ("arXiv:\u{a0}1412.6980", "1412.6980"),
        ("arXiv preprint arXiv:1412.6980 (2014)", "1412.6980"),
        ("arXiv:math.GT/0309136v1", "math/0309136v1"),
        ("[arXiv:astro-ph/0608061]", "astro-ph/0608061"),
        ("oai:arXiv.org:hep-th/9901001", "hep-th/9901001"),
        ("arXiv-2101.00001", "2101.00001"),
        ("arxiv_2101.00001.txt", "2101.00001"),
        ("arXiv2101.00001", "2101.00001"),
        ("arXiv%3A2101.00001", "2101.00001"),
        ("10.48550/arXiv.2101.00001", "2101.00001"),
        ("doi:10.48550/ARXIV.2101.00001.", "2101.00001"),
        (
            "https://doi.org/10.48550/arXiv.hep-th/9901001",
            "hep-th/9901001",
        ),
        ("https://doi.org/10.48550/arxiv.1706.03762)", "1706.03762"),
        ("https://doi.org/10.48550%2FarXiv.1706.03762", "1706.03762"),
    ]);
}

#[test]
fn links_are_found() {
    assert_found(&[
        ("https://arxiv.org/abs/2101.00001", "2101.00001"),
        ("http://arxiv.org/abs/2101.00001v3", "2101.00001v3"),
        ("arxiv.org/abs/2101.00001.", "2101.00001"),
        ("https://www.arxiv.org/pdf/2101.00001", "2101.00001"),
        ("https://arxiv.org/pdf/2101.00001v2.pdf", "2101.00001v2"),
        (
            "https://export.arxiv.org/abs/hep-th/9901001v1",
            "hep-th/9901001v1",
        ),
        ("https://arxiv.org/html/2403.05530v5#S3", "2403.05530v5"),
        ("https://arxiv.org/ps/hep-ph/9905221", "hep-ph/9905221"),
        ("https://arxiv.org/e-print/1207.7214", "1207.7214"),
        ("https://arxiv.org/format/1207.7214", "1207.7214"),
        (
            "https://arxiv.org/abs/2101.00001?context=cs.LG",
            "2101.00001",
        ),
        ("https://arxiv.org/abs/2101.00001/", "2101.00001"),
        (
            "https://arxiv.org/abs/2101.00001/hep-th/9901001",
            "2101.00001",
        ),
        ("https://arxiv.org/abs/math.GT/0309136", "math/0309136"),
        (
            "https://arxiv.org/ftp/arxiv/papers/1207/1207.7214.pdf",
            "1207.7214",
        ),
        ("http://de.arxiv.org/abs/0704.0001", "0704.0001"),
        ("http://xxx.lanl.gov/abs/hep-th/9711200", "hep-th/9711200"),
        ("https://ar5iv.labs.arxiv.org/html/1910.06709", "1910.06709"),
        ("https://www.alphaxiv.org/abs/2101.00001v1", "2101.00001v1"),
        ("https://huggingface.co/papers/2401.12345", "2401.12345"),
        ("https://hf.co/papers/2401.12345.", "2401.12345"),
        ("https://ar5iv.org/abs/2401.12345", "2401.12345"),
        (
            "https://www.emergentmind.com/papers/2401.12345",
            "2401.12345",
        ),
        ("https://scirate.com/arxiv/2401.12345", "2401.12345"),
        ("https://papers.cool/arxiv/2401.12345", "2401.12345"),
        (
            "https://inspirehep.net/arxiv/hep-th/9711200",
            "hep-th/9711200",
        ),
        (
            "https://www.arxiv-vanity.com/papers/1706.03762/",
            "1706.03762",
        ),
        ("HTTPS://ARXIV.ORG/ABS/2101.00001", "2101.00001"),
        ("https://arxiv.org:443/abs/2101.00001", "2101.00001"),
        ("<https://arxiv.org/abs/2101.00001>", "2101.00001"),
        (
            "<a href=\"https://arxiv.org/pdf/1706.03762.pdf\">paper</a>",
            "1706.03762",
        ),
        (
            "[Attention](https://arxiv.org/abs/1706.03762), [BERT](arxiv.org/abs/1810.04805)",
            "1706.03762 1810.04805",
        ),
        ("\\url{https://arxiv.org/abs/1706.03762}", "1706.03762"),
        (
            "https://example.org/?to=https%3A%2F%2Farxiv.org%2Fabs%2F1706.03762",
            "1706.03762",
        ),
    ]);
}

#[test]
fn a_paper_is_found_once_at_its_first_reference() {
    assert_found(&[
        (
            "2101.00002 2101.00001v1 arXiv:2101.00002 https://arxiv.org/pdf/2101.00001v2",
            "2101.00002 2101.00001v1 2101.00001v2",
        ),
        (
            "math/0309136, math.GT/0309136, MATH.gt/0309136v2, math/0309136v2",
            "math/0309136 math/0309136v2",
        ),
        (
            "[1706.03762](https://arxiv.org/abs/1706.03762)",
            "1706.03762",
        ),
    ]);
}

#[test]
fn an_id_is_found_between_letters_of_scripts_without_spaces() {
    assert_found(&[
        ("见2401.12345的结论", "2401.12345"),
        ("参考文献（arXiv：2401.12345v2）。", "2401.12345v2"),
        ("論文2401.12345を参照", "2401.12345"),
        ("2401.12345를 보라", "2401.12345"),
        ("ดู2401.12345และ", "2401.12345"),
        ("见https://arxiv.org/abs/2401.12345的结论", "2401.12345"),
        ("、hep-th/9901001と", "hep-th/9901001"),
    ]);
}

#[test]
fn a_string_that_only_resembles_an_id_is_not_found() {
    let texts = [
        // empty text
        "",
        "no reference",
        "arXiv",
        "arXiv:",
        "https://arxiv.org/abs/",
        "https://arxiv.org/list/hep-th/0101",
        // ids outside the scheme
        "2113.00001",
        "2100.00001",
        "arXiv:2113.00001",
        "0703.0001",
        "2101.0001",
        "1412.12345",
        "2101.00000",
        "stat/0701001",
        "foo/9901001",
        "hep-th/9913001",
        "hep-th/0704001",
        "hep-th/990100",
        "math/03091367",
        // telephone numbers
        "+49 711.1234",
        "0711.1234-56",
        "0711.1234.56",
        "Tel. 0711.1234",
        "phone: 0711.1234",
        "+1.0712.1234",
        "555.1212",
        // amounts
        "$1205.4321",
        "$ 1205.4321",
        "€1205.4321",
        "1205.4321 €",
        "1205.4321 EUR",
        "USD 1205.4321",
        "1205.4321%",
        "共2401.12345元",
        "2401.12345円",
        "版本2401.12345",
        "电话：2401.12345",
        // dates and times
        "2012.05.13",
        "13.05.2012",
        "2012.0513",
        "10.12.2020",
        "2021-01.00001",
        // versions
        "v1909.18363",
        "version 1909.18363",
        "build 1909.18363",
        "16.0.1323.20262",
        "1501.00001.2",
        "1.1501.00001",
        "1501.00001-2",
        "Windows 2004.19041",
        "lib-1501.00001.so",
        "lib_1501.00001",
        // addresses
        "10.0.0.1",
        "192.168.1501.00001",
        "1501.00001:8080",
        "https://example.org/1501.00001",
        "https://notarxiv.org/abs/1501.00001",
        "https://my-arxiv.org/abs/hep-th/9901001",
        "https://arxiv.org.example.org/abs/1501.00001",
        "https://example.org/math/0309136",
        "https://huggingface.co/datasets/2401.12345",
        "https://myhf.co/papers/2401.12345",
        // other identifiers
        "doi:10.1103/1501.00001",
        "10.1234/abc.1501.00001",
        "10.1016/cs/0112017",
        "ISBN 978-3-16-148410-0",
        "ISBN 0704.1234",
        // parts of longer numbers and words
        "121501.00001",
        "2101.000011",
        "-1501.00001",
        "1501.00001e5",
        "x1501.00001",
        "1501.00001abc",
        "2101.00001vs",
        "é1501.00001",
        "xhep-th/9901001",
        "hep-th/9901001x",
        "sub.hep-th/9901001",
        "２１０１.00001",
    ];
    let wrong: Vec<_> = texts
        .iter()
        .map(|text| (text, found(text)))
        .filter(|(_, ids)| !ids.is_empty())
        .collect();
    assert!(wrong.is_empty(), "text, found: {wrong:#?}");
}

#[test]
fn the_search_time_is_linear_in_the_length_of_the_text() {
    let text = "arxiv.org/".repeat(10_000) + &"a-".repeat(20_000) + " 2101.00001";
    assert_eq!(found(&text), "2101.00001");
}

/// Pieces of references, so that random texts resemble them.
fn near_references() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[0-9]{1,5}",
        "[./:%v -]",
        "arxiv|arXiv:|\\.org|/abs/|hep-th|math\\.GT|2101\\.00001|9901001",
        "\\PC",
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn the_search_never_panics(text in "\\PC*") {
        references::find(&text);
    }

    #[test]
    fn each_found_id_is_found_again_alone(text in near_references()) {
        let ids = references::find(&text);
        for id in &ids {
            prop_assert_eq!(references::find(id.as_str()), [id.clone()]);
            prop_assert_eq!(&id.to_string().parse::<ArxivId>().unwrap(), id);
        }
        let list = ids.iter().map(ArxivId::as_str).collect::<Vec<_>>().join(", ");
        prop_assert_eq!(references::find(&list), ids);
    }
}
