//! Presigned links by which a client accesses a file directly in S3. Each is valid for one method,
//! one file and a short time.
//!
//! Signing needs no request. A link grants access to any bearer, so it is never stored, and it
//! expires before a deleted session is purged. S3 refuses a request whose signed headers differ
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>), so an upload
//! has the declared length and type. It has a condition too
//! (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>): the name is
//! still free, or still has the content that the upload replaces. So a link serves for one upload;
//! all that it can repeat is an upload of exactly the bytes that are there.

use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use aws_sdk_s3::config::{Config, RequestChecksumCalculation};
use aws_sdk_s3::presigning::PresigningConfig;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use session::Timestamp;

use super::{ArtifactError, ArtifactKey, ArtifactName, ContentType, SessionFiles};

/// How long a link is valid. An upload must begin within it. A purge waits longer than this after a
/// delete.
pub const LINK_TIME: Duration = Duration::from_secs(15 * 60);

/// The maximum size of an upload. It fits a book of 300 scanned pages, which takes 14 minutes at 1
/// Mbit/s. A worker has 512 MB of disk for the file and the pages rendered from it.
pub const MAX_UPLOAD_BYTES: u64 = 100 << 20;

/// The escaped characters of an extended header parameter: all but those that RFC 8187, section
/// 3.2.1, allows, and some of these because certain clients mishandle them.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// How a client uploads a file: a `PUT` to `url` with exactly these `headers`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadLink {
    /// The presigned URL.
    pub url: String,
    /// The signed headers. S3 refuses the request without them.
    pub headers: BTreeMap<String, String>,
    /// The time before which the upload must begin.
    pub expires_at: Timestamp,
}

impl SessionFiles {
    /// A link for one upload of this length and type. A complete upload replaces an existing file
    /// of that name, which is looked up by one request. The caller checks the length against
    /// [`MAX_UPLOAD_BYTES`].
    ///
    /// # Errors
    /// [`ArtifactError::Storage`].
    pub async fn upload_link(
        &self,
        name: &ArtifactName,
        content_type: &ContentType,
        size: u64,
        now: Timestamp,
    ) -> Result<UploadLink, ArtifactError> {
        let place = ArtifactKey::Upload(name.clone());
        let replaced = self.head(&place).await?.map(|there| there.e_tag);
        let (condition, value) = match &replaced {
            None => ("if-none-match", "*".to_owned()),
            Some(tag) => ("if-match", tag.clone().unwrap_or_default()),
        };
        // By default the SDK would sign a checksum of an empty body.
        let own = Config::builder()
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired);
        let request = self
            .bucket
            .client
            .put_object()
            .bucket(&self.bucket.name)
            .key(self.key(&place))
            .set_if_none_match(replaced.is_none().then(|| value.clone()))
            .set_if_match(replaced.is_some().then(|| value.clone()))
            .content_type(content_type.as_str())
            .content_length(size.try_into().map_err(ArtifactError::storage)?);
        let request = request.customize().config_override(own);
        let signed = request.presigned(presigning(now)?).await;
        let signed = signed.map_err(ArtifactError::storage)?;
        // Only the signed headers: in a function the SDK also adds the trace header of the current
        // request.
        let headers = [
            ("content-length", size.to_string()),
            ("content-type", content_type.to_string()),
            (condition, value),
        ];
        Ok(UploadLink {
            url: signed.uri().to_owned(),
            headers: headers.map(|(name, value)| (name.to_owned(), value)).into(),
            expires_at: now.plus(LINK_TIME),
        })
    }

    /// A link to a file. It makes a browser save the file under its name instead of showing it.
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

/// A file name with any characters as a header value (RFC 6266, section 4.3).
fn disposition(name: &ArtifactName) -> String {
    let name = utf8_percent_encode(name.as_str(), ESCAPED);
    format!("attachment; filename*=UTF-8''{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_download_is_saved_under_any_file_name() {
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
