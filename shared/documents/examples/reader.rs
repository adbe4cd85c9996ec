//! A program that can be a reader and nothing else: what tests and measurements start, which have no `main` of their own.

fn main() {
    documents::reader::serve_if_child();
}
