//! Writing a file.

use documents::{ArtifactError, ArtifactKey};

use crate::bucket::{Bucket, key, xml};
use crate::{RUN, artifact, name, run};

#[tokio::test]
async fn a_file_is_written_to_its_folder_with_the_type_of_its_name() {
    let bucket = Bucket::start(|_| xml(200, "")).await;
    for (place, folder, content_type) in [
        (
            artifact("ü.md"),
            RUN.to_owned(),
            "text/markdown; charset=utf-8",
        ),
        (
            ArtifactKey::Draft(run(), name("ü.json")),
            format!("drafts/{RUN}"),
            "application/json",
        ),
        (
            ArtifactKey::Upload(name("ü.pdf")),
            "uploads".to_owned(),
            "application/pdf",
        ),
    ] {
        bucket.files.put(&place, "text").await.unwrap();
        let asked = bucket.asked().pop().unwrap();
        let file = place.name().as_str().replace('ü', "%C3%BC");
        assert_eq!(asked.method, "PUT");
        assert_eq!(
            asked.path,
            format!("/bucket/{}", key(&format!("{folder}/{file}")))
        );
        assert_eq!(asked.headers["content-type"], content_type);
        assert!(asked.body.contains("text"));
    }
}

#[tokio::test]
async fn a_bucket_that_refuses_is_an_error() {
    let denied = || xml(403, "<Error><Code>AccessDenied</Code></Error>");
    let bucket = Bucket::start(move |_| denied()).await;
    let refused = bucket.files.put(&artifact("a.txt"), vec![0; 2 << 20]).await;
    assert!(matches!(refused, Err(ArtifactError::Storage(_))));
}
