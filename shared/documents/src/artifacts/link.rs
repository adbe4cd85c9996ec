//! Links by which a client reaches a file without us: good for one request method, one file and a short time.
//!
//! Making one asks nobody. Whoever has it may use it, so none is ever stored, and none outlives the time after which a deleted
//! session is purged. Signed headers must come as they were signed, or S3 refuses the request
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>): so an upload has the promised length and type.

use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use aws_sdk_s3::config::{Config, RequestChecksumCalculation};
use aws_sdk_s3::presigning::PresigningConfig;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use session::Timestamp;

use super::{ArtifactError, ArtifactKey, ArtifactName, ContentType, SessionFiles};

/// How long a link is good. An upload must begin within it; a purge waits longer after a delete.
pub const LINK_TIME: Duration = Duration::from_secs(15 * 60);

/// What an upload may have: a book of 300 scanned pages, and 14 minutes at 1 Mbit/s. A worker has 512 MB of disk, which must hold
/// it beside the pages that are rendered from it.
pub const MAX_UPLOAD_BYTES: u64 = 100 << 20;

/// What stands in an extended parameter of a header as it is (RFC 8187, section 3.2.1), without what some clients stumble over.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// How a client sends a file: a `PUT` of it to `url`, with `headers` as they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadLink {
    /// Where it goes.
    pub url: String,
    /// What must be sent along; S3 refuses the request otherwise.
    pub headers: BTreeMap<String, String>,
    /// Until when the upload must have begun.
    pub expires_at: Timestamp,
}

impl SessionFiles {
    /// A link for one upload of this length and type; what stood under the name is replaced once it is there whole. It is the
    /// caller who checks the length against [`MAX_UPLOAD_BYTES`].
    ///
    /// # Errors
    /// [`ArtifactError::Storage`] when there are no credentials to sign with.
    pub async fn upload_link(
        &self,
        name: &ArtifactName,
        content_type: &ContentType,
        size: u64,
        now: Timestamp,
    ) -> Result<UploadLink, ArtifactError> {
        // The SDK would sign a checksum of its own, that of no content.
        let own = Config::builder()
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired);
        let request = self
            .bucket
            .client
            .put_object()
            .bucket(&self.bucket.name)
            .key(self.key(&ArtifactKey::Upload(name.clone())))
            .content_type(content_type.as_str())
            .content_length(size.try_into().map_err(ArtifactError::storage)?);
        let request = request.customize().config_override(own);
        let signed = request.presigned(presigning(now)?).await;
        let signed = signed.map_err(ArtifactError::storage)?;
        // No more than is signed: in a function the SDK adds the trace of our own request.
        let headers = [
            ("content-length", size.to_string()),
            ("content-type", content_type.to_string()),
        ];
        Ok(UploadLink {
            url: signed.uri().to_owned(),
            headers: headers.map(|(name, value)| (name.to_owned(), value)).into(),
            expires_at: now.plus(LINK_TIME),
        })
    }

    /// A link to a file, under which a browser saves it by its name instead of showing it.
    ///
    /// # Errors
    /// [`ArtifactError::Storage`] when there are no credentials to sign with.
    pub async fn link(&self, place: &ArtifactKey, now: Timestamp) -> Result<String, ArtifactError> {
        let request = self.bucket.client.get_object().bucket(&self.bucket.name);
        let request = request
            .key(self.key(place))
            .response_content_disposition(disposition(place.name()));
        let signed = request.presigned(presigning(now)?).await;
        Ok(signed.map_err(ArtifactError::storage)?.uri().to_owned())
    }
}

fn presigning(now: Timestamp) -> Result<PresigningConfig, ArtifactError> {
    let config = PresigningConfig::builder()
        .start_time(UNIX_EPOCH + Duration::from_secs(now.as_seconds().unsigned_abs()))
        .expires_in(LINK_TIME);
    config.build().map_err(ArtifactError::storage)
}

/// A name with any characters in a header (RFC 6266, section 4.3).
fn disposition(name: &ArtifactName) -> String {
    let name = utf8_percent_encode(name.as_str(), ESCAPED);
    format!("attachment; filename*=UTF-8''{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_saved_by_its_name_whatever_the_name() {
        for (name, header) in [
            ("paper.pdf", "attachment; filename*=UTF-8''paper.pdf"),
            (
                "a \"b\"; c.md",
                "attachment; filename*=UTF-8''a%20%22b%22%3B%20c.md",
            ),
            ("ü.txt", "attachment; filename*=UTF-8''%C3%BC.txt"),
        ] {
            assert_eq!(disposition(&name.parse().unwrap()), header);
        }
    }
}
