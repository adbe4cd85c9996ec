//! Reads the beginning of a file as text.

use aws_sdk_s3::error::ProvideErrorMetadata as _;
use bytes::BytesMut;

use super::read::unknown_type;
use super::{ArtifactError, ArtifactKey, SessionFiles};

/// Media types whose files are no text, whatever their bytes look like: a PDF may be all ASCII.
const NO_TEXT: [&str; 6] = [
    "image/",
    "audio/",
    "video/",
    "font/",
    "application/pdf",
    "application/zip",
];

/// The beginning of a text file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextBeginning {
    /// UTF-8 without NUL, which ends with a whole character.
    pub text: String,
    /// The media type of the file.
    pub content_type: String,
    /// The size of the whole file, in bytes.
    pub size: u64,
}

impl SessionFiles {
    /// The first `limit` bytes of a file, by one request. A character that they cut is left out.
    ///
    /// # Errors
    /// [`ArtifactError::NotFound`], [`ArtifactError::NotText`], [`ArtifactError::Storage`].
    pub async fn text_beginning(
        &self,
        place: &ArtifactKey,
        limit: u64,
    ) -> Result<TextBeginning, ArtifactError> {
        let request = self.bucket.client.get_object().bucket(&self.bucket.name);
        let last = limit.saturating_sub(1);
        let request = request
            .key(self.key(place))
            .range(format!("bytes=0-{last}"));
        let mut object = match request.send().await {
            Ok(object) => object,
            Err(error) => {
                let refused = error.as_service_error();
                return match refused {
                    Some(refused) if refused.is_no_such_key() => Err(ArtifactError::NotFound),
                    // An empty file has no first byte.
                    Some(refused) if refused.code() == Some("InvalidRange") => {
                        self.empty(place).await
                    }
                    _ => Err(ArtifactError::storage(error)),
                };
            }
        };
        let content_type = object.content_type.take().unwrap_or_else(unknown_type);
        if !may_be_text(&content_type) {
            return Err(ArtifactError::NotText);
        }
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut content = BytesMut::new();
        // A store that ignores the range sends the whole file.
        while content.len() < most {
            let chunk = object.body.try_next().await;
            let Some(chunk) = chunk.map_err(ArtifactError::storage)? else {
                break;
            };
            content.extend_from_slice(&chunk);
        }
        content.truncate(most);
        let total = object.content_range().and_then(total).or_else(|| {
            let announced = object.content_length()?;
            u64::try_from(announced).ok()
        });
        let size = total.unwrap_or(content.len() as u64);
        Ok(TextBeginning {
            text: text(&content, size > content.len() as u64)?,
            content_type,
            size,
        })
    }

    async fn empty(&self, place: &ArtifactKey) -> Result<TextBeginning, ArtifactError> {
        let content_type = self.content_type(place).await?;
        let content_type = content_type.ok_or(ArtifactError::NotFound)?;
        if !may_be_text(&content_type) {
            return Err(ArtifactError::NotText);
        }
        Ok(TextBeginning {
            text: String::new(),
            content_type,
            size: 0,
        })
    }
}

fn may_be_text(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    essence.ends_with("+xml") || !NO_TEXT.iter().any(|kind| essence.starts_with(kind))
}

/// The size of the whole file, of a header such as `bytes 0-99/1234`.
fn total(content_range: &str) -> Option<u64> {
    content_range.rsplit_once('/')?.1.parse().ok()
}

fn text(content: &[u8], cut: bool) -> Result<String, ArtifactError> {
    if content.contains(&0) {
        return Err(ArtifactError::NotText);
    }
    let whole = match std::str::from_utf8(content) {
        Ok(text) => text,
        // Only the last character is incomplete.
        Err(error) if cut && error.error_len().is_none() => {
            std::str::from_utf8(&content[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return Err(ArtifactError::NotText),
    };
    Ok(whole.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_character_is_left_out_and_a_wrong_one_is_no_text() {
        let read = |content: &[u8], cut| text(content, cut).ok();
        assert_eq!(read("aé".as_bytes(), false).unwrap(), "aé");
        assert_eq!(read(&"aé".as_bytes()[..2], true).unwrap(), "a");
        assert_eq!(read(&"a😀".as_bytes()[..4], true).unwrap(), "a");
        assert_eq!(read(&"aé".as_bytes()[..2], false), None);
        assert_eq!(read(b"a\xffb", true), None);
        assert_eq!(read(b"a\0b", false), None);
        assert_eq!(read(b"", false).unwrap(), "");
    }

    #[test]
    fn some_media_types_are_no_text() {
        for (content_type, expected) in [
            ("text/plain; charset=utf-8", true),
            ("application/json", true),
            ("application/octet-stream", true),
            ("image/svg+xml", true),
            ("image/png", false),
            ("Application/PDF; a=b", false),
            ("application/zip", false),
            ("", true),
        ] {
            assert_eq!(may_be_text(content_type), expected, "{content_type}");
        }
    }

    #[test]
    fn a_content_range_has_the_size_of_the_file() {
        assert_eq!(total("bytes 0-99/1234"), Some(1234));
        assert_eq!(total("bytes 0-99/*"), None);
    }
}
