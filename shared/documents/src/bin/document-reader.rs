//! A program that can be a reader and nothing else: what tests start, which have no `main` of their own. The executor is its
//! own reader.

fn main() {
    documents::reader::serve_if_child();
}
