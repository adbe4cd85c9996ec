//! A program that is only a reader, for tests, which have no `main` of their own. In production the
//! worker for documents is its own reader.

fn main() {
    documents::reader::serve_if_child();
}
