//! Collects what hayro's interpreter draws: each glyph with its position, and the amount of other
//! content on the page.

use hayro::hayro_interpret::font::{Glyph as Drawing, GlyphRun, PositionedGlyph};
use hayro::hayro_interpret::hayro_cmap::{BfString, WritingMode};
use hayro::hayro_interpret::{
    BlendMode, ClipPath, Device, DrawMode, DrawProps, Image, ImageDrawProps, SoftMask,
};
use hayro::kurbo::{Affine, BezPath, Point, Rect, Shape};

/// Glyph widths are given in thousandths of the font size.
const UNITS_PER_EM: f64 = 1000.0;
/// The advance in a font without widths, in thousandths.
const USUAL_ADVANCE: f32 = 500.0;

/// A glyph, in coordinates in which its line runs to the right and the next line is below.
#[derive(Debug, Clone)]
pub(super) struct Glyph {
    pub x: f64,
    /// The y coordinate of the baseline.
    pub y: f64,
    /// The distance to the next glyph.
    pub advance: f64,
    /// The font size.
    pub size: f64,
    /// U+FFFD if the font does not map the glyph to a character.
    pub text: String,
}

/// The clockwise rotation of a line in quarter turns, from the direction to the right.
#[derive(Clone, Copy)]
enum Turn {
    Upright,
    Down,
    Over,
    Up,
}

/// The text of a page, collected while it is drawn.
pub(in super::super) struct Glyphs {
    paper: Rect,
    by_turn: [Vec<Glyph>; 4],
    drawn: Drawn,
}

/// The content of a page besides text.
#[derive(Debug, Clone, Copy, Default)]
pub(in super::super) struct Drawn {
    /// The share of the page that images cover.
    pub image: f64,
    /// The number of lines and areas. Text can be drawn as paths too.
    pub paths: usize,
}

impl Glyphs {
    pub fn on(paper: Rect) -> Self {
        Self {
            paper,
            by_turn: Default::default(),
            drawn: Drawn::default(),
        }
    }

    pub fn drawn(&self) -> Drawn {
        self.drawn
    }

    /// The most frequent direction of the page comes first.
    pub(super) fn by_turn(self) -> impl Iterator<Item = Vec<Glyph>> {
        let mut turned = self.by_turn;
        turned.sort_by_key(|glyphs| std::cmp::Reverse(glyphs.len()));
        turned.into_iter().filter(|glyphs| !glyphs.is_empty())
    }

    fn push(&mut self, glyph: &PositionedGlyph<'_>, transform: Affine, vertical: bool) {
        let place = transform * glyph.transform();
        let origin = place * Point::ORIGIN;
        if !self.paper.contains(origin) {
            return;
        }
        let advance = match &**glyph {
            Drawing::Outline(outline) => outline.advance_width(),
            Drawing::Type3(drawn) => drawn.advance_width(),
        };
        let advance = f64::from(advance.unwrap_or(USUAL_ADVANCE));
        let along = place * Point::new(UNITS_PER_EM, 0.0) - origin;
        let size = (place * Point::new(0.0, UNITS_PER_EM) - origin).hypot();
        // A damaged matrix can yield values that cannot be sorted.
        if !(size > 0.0 && size.is_finite() && along.hypot().is_finite()) {
            return;
        }
        let turn = match vertical {
            // Vertical writing: upright glyphs below each other.
            true => Turn::Down,
            false => Turn::of(along.atan2()),
        };
        let (x, y) = turn.frame(origin);
        let advance = match vertical {
            true => size,
            false => along.hypot() * advance / UNITS_PER_EM,
        };
        self.by_turn[turn as usize].push(Glyph {
            x,
            y,
            advance,
            size,
            text: match glyph.as_unicode() {
                Some(BfString::Char(char)) => char.to_string(),
                Some(BfString::String(text)) => text,
                None => char::REPLACEMENT_CHARACTER.to_string(),
            },
        });
    }
}

impl Turn {
    /// The nearest quarter turn. The angle grows clockwise, because y grows downwards.
    fn of(angle: f64) -> Self {
        match (angle / std::f64::consts::FRAC_PI_2).round() as i64 {
            0 => Self::Upright,
            1 => Self::Down,
            -1 => Self::Up,
            _ => Self::Over,
        }
    }

    /// The coordinates of a point after the page is rotated so that the line runs to the right.
    fn frame(self, Point { x, y }: Point) -> (f64, f64) {
        match self {
            Self::Upright => (x, y),
            Self::Down => (y, -x),
            Self::Over => (-x, -y),
            Self::Up => (-y, x),
        }
    }
}

impl<'a> Device<'a> for Glyphs {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, _: &DrawMode) {
        let vertical = matches!(run.writing_mode(), WritingMode::Vertical);
        for glyph in run.glyphs() {
            self.push(glyph, props.transform, vertical);
        }
    }

    fn draw_image(&mut self, image: Image<'a, '_>, props: ImageDrawProps<'a>) {
        let size = Rect::new(0.0, 0.0, image.width().into(), image.height().into());
        let seen = props
            .transform
            .transform_rect_bbox(size)
            .intersect(self.paper);
        let share = seen.area() / self.paper.area().max(1.0);
        self.drawn.image = (self.drawn.image + share).min(1.0);
    }

    fn draw_path(&mut self, path: &BezPath, _: DrawProps<'a>, _: &DrawMode) {
        // A path without an area is a clip or an error.
        self.drawn.paths += usize::from(path.bounding_box().area() > 0.0);
    }

    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'a>>, _: BlendMode) {}
    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}
}
