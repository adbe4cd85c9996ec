//! The image format for all OCR engines: a grey PNG within the limits of the strictest engine.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{DynamicImage, GrayImage};

use super::{PageError, PageImage};

/// Maximum pixels per side. An A4 page at 300 dpi has 3,508.
pub(super) const MAX_SIDE: u32 = 4_000;
/// Amazon Textract accepts 5 MB of image bytes
/// (<https://docs.aws.amazon.com/textract/latest/dg/API_Document.html>).
pub(in super::super) const MAX_PNG_BYTES: usize = 5_000_000;

/// Scales the image down in steps until it fits.
pub(super) fn page_image(image: DynamicImage) -> Result<PageImage, PageError> {
    let mut image = fitted(image.into_luma8(), MAX_SIDE);
    loop {
        let png = encoded(&image)?;
        let (width, height) = image.dimensions();
        if png.len() <= MAX_PNG_BYTES {
            return Ok(PageImage {
                png,
                width,
                height,
                damage: None,
            });
        }
        image = fitted(image, width.max(height) * 3 / 4);
    }
}

/// Averages the pixels. Interpolation needs sixteen bytes per pixel and is much slower.
fn fitted(image: GrayImage, side: u32) -> GrayImage {
    let (width, height) = image.dimensions();
    if width.max(height) <= side {
        return image;
    }
    DynamicImage::ImageLuma8(image)
        .thumbnail(side, side)
        .into_luma8()
}

fn encoded(image: &GrayImage) -> Result<Vec<u8>, PageError> {
    let mut png = Vec::new();
    let encoder =
        PngEncoder::new_with_quality(&mut png, CompressionType::Fast, FilterType::Adaptive);
    image
        .write_with_encoder(encoder)
        .map_err(|_| PageError::Broken)?;
    Ok(png)
}
