//! Images as documents.

use std::io::Cursor;

use documents::reader::{DocumentKind, PageImage, PageText};
use flate2::Crc;
use image::{DynamicImage, GrayImage, ImageFormat, RgbImage};

use super::*;

/// Dark on the left, light on the right, twice as wide as high.
fn shades() -> DynamicImage {
    DynamicImage::ImageRgb8(RgbImage::from_fn(200, 100, |x, _| {
        let light = if x < 100 { 40 } else { 220 };
        image::Rgb([light, light, light])
    }))
}

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(vec![]);
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn decoded(page: &PageImage) -> GrayImage {
    let image = image::load_from_memory_with_format(&page.png, ImageFormat::Png).unwrap();
    assert!(matches!(image, DynamicImage::ImageLuma8(_)));
    assert_eq!((image.width(), image.height()), (page.width, page.height));
    image.into_luma8()
}

fn looks_like_shades(page: &PageImage) {
    let image = decoded(page);
    assert_eq!(image.dimensions(), (200, 100));
    assert!(image.get_pixel(20, 50).0[0] < 60 && image.get_pixel(180, 50).0[0] > 200);
}

#[tokio::test]
async fn every_kind_of_image_becomes_a_grey_png_of_one_page() {
    let reader = reader(Limits::default());
    for (name, format, kind) in [
        ("a.png", ImageFormat::Png, DocumentKind::Png),
        ("a.jpeg", ImageFormat::Jpeg, DocumentKind::Jpeg),
        ("a.tif", ImageFormat::Tiff, DocumentKind::Tiff),
        ("a.webp", ImageFormat::WebP, DocumentKind::WebP),
    ] {
        let stored = Stored::new(name, encoded(&shades(), format));
        let document = reader.inspect(stored.path()).await.unwrap();
        assert_eq!(document, Document { kind, pages: 1 });
        let pages = all(&reader, stored.path()).await;
        assert_eq!(
            pages[0].text,
            Ok(PageText::default()),
            "no text layer, so not usable"
        );
        looks_like_shades(&reader.render(stored.path(), 1, 200).await.unwrap());
    }
}

#[tokio::test]
async fn a_photograph_is_rotated_by_its_exif_orientation() {
    let jpeg = encoded(&shades().rotate270(), ImageFormat::Jpeg);
    // Exif in a segment: one entry, 0x0112, orientation 6, a quarter turn to the right.
    let mut exif =
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec();
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    let mut turned = jpeg[..2].to_vec();
    turned.extend([0xff, 0xe1, length[0], length[1]]);
    turned.append(&mut exif);
    turned.extend(&jpeg[2..]);
    let stored = Stored::new("photo.jpg", turned);
    looks_like_shades(
        &reader(Limits::default())
            .render(stored.path(), 1, 200)
            .await
            .unwrap(),
    );
}

/// A TIFF in grey, a page for each shade.
fn tiff(shades: &[u8]) -> Vec<u8> {
    const SIDE: u32 = 16;
    const ENTRIES: [(u16, u32); 8] = [
        (256, SIDE),
        (257, SIDE),
        (258, 8),
        (259, 1),
        (262, 1),
        (273, 0),
        (278, SIDE),
        (279, SIDE * SIDE),
    ];
    let mut file = b"II*\0\x08\0\0\0".to_vec();
    for (index, &shade) in shades.iter().enumerate() {
        let directory = file.len() as u32;
        let pixels = directory + 2 + 12 * ENTRIES.len() as u32 + 4;
        let next = if index + 1 == shades.len() {
            0
        } else {
            pixels + SIDE * SIDE
        };
        file.extend((ENTRIES.len() as u16).to_le_bytes());
        for (tag, value) in ENTRIES {
            let value = if tag == 273 { pixels } else { value };
            file.extend(tag.to_le_bytes());
            file.extend(4_u16.to_le_bytes());
            file.extend(1_u32.to_le_bytes());
            file.extend(value.to_le_bytes());
        }
        file.extend(next.to_le_bytes());
        file.extend([shade].repeat((SIDE * SIDE) as usize));
    }
    file
}

#[tokio::test]
async fn each_image_of_a_tiff_is_a_page() {
    let stored = Stored::new("fax.tiff", tiff(&[10, 120, 250]));
    let reader = reader(Limits::default());
    assert_eq!(reader.inspect(stored.path()).await.unwrap().pages, 3);
    for (page, shade) in [(1, 10), (2, 120), (3, 250)] {
        let image = reader.render(stored.path(), page, 200).await.unwrap();
        assert_eq!(decoded(&image).get_pixel(8, 8).0, [shade]);
    }
    let error = reader.render(stored.path(), 4, 200).await.unwrap_err();
    assert_eq!(error.code(), "page_missing");
}

#[tokio::test]
async fn an_image_without_its_end_is_truncated() {
    let noise = RgbImage::from_fn(60, 60, |x, y| {
        image::Rgb([(x * y % 251) as u8, x as u8, y as u8])
    });
    let noise = DynamicImage::ImageRgb8(noise);
    for (name, format) in [
        ("a.png", ImageFormat::Png),
        ("a.jpg", ImageFormat::Jpeg),
        ("a.webp", ImageFormat::WebP),
    ] {
        let whole = encoded(&noise, format);
        let error = refusal(&Stored::new(name, &whole[..whole.len() / 2])).await;
        assert!(matches!(error, DocumentError::Truncated), "{name}: {error}");
    }
    let whole = tiff(&[1, 2]);
    let error = refusal(&Stored::new("a.tif", &whole[..whole.len() / 2])).await;
    assert!(matches!(error, DocumentError::Truncated), "{error}");
    // The directories are complete, the pixels are not.
    let pixels = Stored::new("b.tif", &whole[..whole.len() - 100]);
    let error = reader(Limits::default())
        .render(pixels.path(), 2, 200)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "page_broken");
}

/// A PNG with this size in its header and almost no data.
fn declared(width: u32, height: u32) -> Vec<u8> {
    let chunk = |kind: &[u8], data: &[u8]| {
        let mut crc = Crc::new();
        crc.update(kind);
        crc.update(data);
        let length = (data.len() as u32).to_be_bytes();
        [&length, kind, data, &crc.sum().to_be_bytes()].concat()
    };
    let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
    [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &[&size[..], &[8, 2, 0, 0, 0]].concat()),
        chunk(b"IDAT", &super::make::deflated(&[0; 1000])),
        chunk(b"IEND", b""),
    ]
    .concat()
}

#[tokio::test]
async fn an_oversized_image_is_refused_before_it_is_decoded() {
    let stored = Stored::new("huge.png", declared(60_000, 60_000));
    let error = reader(Limits::default())
        .render(stored.path(), 1, 200)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "page_too_large");
    assert!(
        error.to_string().contains("at most 72 megapixels"),
        "{error}"
    );
}

#[tokio::test]
async fn an_image_without_its_pixels_is_broken() {
    let stored = Stored::new("hollow.png", declared(500, 500));
    let error = reader(Limits::default())
        .render(stored.path(), 1, 200)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "page_broken");
}

#[tokio::test]
async fn a_large_image_is_scaled_down_to_the_limits_of_every_engine() {
    let tall = DynamicImage::ImageLuma8(GrayImage::new(90, 6_000));
    let stored = Stored::new("tall.png", encoded(&tall, ImageFormat::Png));
    let image = reader(Limits::default())
        .render(stored.path(), 1, 200)
        .await
        .unwrap();
    assert_eq!((image.width, image.height), (60, 4_000));
}

#[tokio::test]
async fn an_image_that_hardly_compresses_is_scaled_down_to_the_bytes_that_textract_accepts() {
    // Pixels of a linear congruential generator (Numerical Recipes).
    let mut state = 1_u32;
    let noise = GrayImage::from_fn(2_600, 2_600, |_, _| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        image::Luma([state.to_be_bytes()[0]])
    });
    let stored = Stored::new(
        "noise.png",
        encoded(&DynamicImage::ImageLuma8(noise), ImageFormat::Png),
    );
    let image = reader(Limits::default())
        .render(stored.path(), 1, 200)
        .await
        .unwrap();
    assert_eq!((image.width, image.height), (1_950, 1_950));
    assert!(image.png.len() <= 5_000_000, "{}", image.png.len());
}
