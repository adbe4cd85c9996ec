//! Collects what hayro's interpreter draws: each glyph with its position, and the amount of other
//! content on the page.

use hayro::hayro_interpret::font::{Glyph as Drawing, GlyphRun, PositionedGlyph};
use hayro::hayro_interpret::hayro_cmap::{BfString, WritingMode};
use hayro::hayro_interpret::{
    BlendMode, ClipPath, Device, DrawMode, DrawProps, Image, ImageDrawProps, SoftMask,
};
use hayro::kurbo::{Affine, BezPath, Point, Rect, Shape};

use super::direction;

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

/// A glyph that is half as wide as its size, like most glyphs.
#[cfg(test)]
pub(super) fn glyph(x: f64, y: f64, text: &str) -> Glyph {
    Glyph {
        x,
        y,
        advance: 5.0,
        size: 10.0,
        text: text.to_owned(),
    }
}

/// The clockwise rotation of a line in quarter turns, from the direction to the right.
#[derive(Debug, Clone, Copy)]
enum Turn {
    Upright,
    Down,
    Over,
    Up,
}

/// In the order of their numbers.
const TURNS: [Turn; 4] = [Turn::Upright, Turn::Down, Turn::Over, Turn::Up];

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

    /// Adds what is drawn over it.
    pub fn append(&mut self, other: Self) {
        for (own, others) in self.by_turn.iter_mut().zip(other.by_turn) {
            own.extend(others);
        }
        self.drawn.image = (self.drawn.image + other.drawn.image).min(1.0);
        self.drawn.paths += other.drawn.paths;
    }

    /// The visible text that begins in an area, in drawing order.
    pub fn within(&self, area: Rect) -> String {
        let glyphs = TURNS.into_iter().zip(&self.by_turn);
        let glyphs = glyphs.flat_map(|(turn, glyphs)| {
            let inside = glyphs.iter();
            inside.filter(move |glyph| area.contains(turn.point(glyph)))
        });
        glyphs.map(|glyph| glyph.text.trim()).collect()
    }

    /// Removes the text that begins in an area.
    pub fn clear(&mut self, area: Rect) {
        for (turn, glyphs) in TURNS.into_iter().zip(&mut self.by_turn) {
            glyphs.retain(|glyph| !area.contains(turn.point(glyph)));
        }
    }

    /// Adds a text in the order of reading, from the origin of `place` on and at most this wide.
    pub fn write(&mut self, text: &str, place: Affine, size: f64, width: f64) {
        let usual = size * f64::from(USUAL_ADVANCE) / UNITS_PER_EM;
        let advance = usual.min(width / text.chars().count().max(1) as f64);
        let along = place * Point::new(1.0, 0.0) - place * Point::ORIGIN;
        let turn = Turn::of(along.atan2());
        let glyphs = text.chars().zip(0_u32..).map(|(char, index)| {
            let (x, y) = turn.frame(place * Point::new(advance * f64::from(index), 0.0));
            let text = char.to_string();
            let glyph = Glyph {
                x,
                y,
                advance,
                size,
                text,
            };
            (turn, glyph)
        });
        let glyphs = glyphs.collect();
        self.push_run(glyphs, true);
    }

    /// The most frequent direction of the page comes first.
    pub(super) fn by_turn(self) -> impl Iterator<Item = Vec<Glyph>> {
        let mut turned = self.by_turn;
        turned.sort_by_key(|glyphs| std::cmp::Reverse(glyphs.len()));
        turned.into_iter().filter(|glyphs| !glyphs.is_empty())
    }

    /// A glyph and the direction of its line, if it is on the page.
    fn placed(
        &self,
        glyph: &PositionedGlyph<'_>,
        transform: Affine,
        vertical: bool,
    ) -> Option<(Turn, Glyph)> {
        let place = transform * glyph.transform();
        let mut origin = place * Point::ORIGIN;
        if !self.paper.contains(origin) {
            return None;
        }
        let advance = match &**glyph {
            Drawing::Outline(outline) => outline.advance_width(),
            Drawing::Type3(drawn) => drawn.advance_width(),
        };
        let advance = f64::from(advance.unwrap_or(USUAL_ADVANCE));
        let mut along = place * Point::new(UNITS_PER_EM, 0.0) - origin;
        let up = place * Point::new(0.0, UNITS_PER_EM) - origin;
        let size = up.hypot();
        // A damaged matrix can yield values that cannot be sorted.
        if !(size > 0.0 && size.is_finite() && along.hypot().is_finite()) {
            return None;
        }
        // Tesseract mirrors hidden text that is read from right to left. It stands where its end
        // is, and its line runs to the right too.
        if along.cross(up) > 0.0 {
            origin += along * advance / UNITS_PER_EM;
            along = -along;
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
        let text = match glyph.as_unicode() {
            Some(BfString::Char(char)) => char.to_string(),
            Some(BfString::String(text)) => text,
            None => char::REPLACEMENT_CHARACTER.to_string(),
        };
        let glyph = Glyph {
            x,
            y,
            advance,
            size,
            text,
        };
        Some((turn, glyph))
    }

    /// Adds glyphs that are drawn one after another. Those of a hidden text stand in the order of
    /// reading, from the left, as OCR programs write them; what they stand for does not.
    fn push_run(&mut self, mut run: Vec<(Turn, Glyph)>, hidden: bool) {
        let letter = |(_, glyph): &(Turn, Glyph)| glyph.text.chars().next().unwrap_or(' ');
        let text: String = run.iter().map(letter).collect();
        let places = run.windows(2);
        let to_the_right = places.into_iter().all(|pair| pair[0].1.x <= pair[1].1.x);
        if hidden && to_the_right && text.chars().any(direction::is_right_to_left) {
            let steps = run.windows(2).map(|pair| pair[1].1.x - pair[0].1.x);
            let mut steps: Vec<f64> = steps.collect();
            steps.extend(run.last().map(|(_, glyph)| glyph.advance));
            let mut x = run[0].1.x;
            let shown = direction::shown(&text).into_iter().map(|(place, char)| {
                let (turn, mut glyph) = run[place].clone();
                glyph.x = x;
                x += steps[place];
                if glyph.text.chars().count() == 1 {
                    glyph.text = char.to_string();
                }
                (turn, glyph)
            });
            run = shown.collect();
        }
        for (turn, glyph) in run {
            self.by_turn[turn as usize].push(glyph);
        }
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

    /// The point of a glyph before that.
    fn point(self, &Glyph { x, y, .. }: &Glyph) -> Point {
        match self {
            Self::Upright => Point::new(x, y),
            Self::Down => Point::new(-y, x),
            Self::Over => Point::new(-x, -y),
            Self::Up => Point::new(y, -x),
        }
    }
}

impl<'a> Device<'a> for Glyphs {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, mode: &DrawMode) {
        let vertical = matches!(run.writing_mode(), WritingMode::Vertical);
        let glyphs = run.glyphs().iter();
        let glyphs = glyphs.filter_map(|glyph| self.placed(glyph, props.transform, vertical));
        let glyphs = glyphs.collect();
        self.push_run(glyphs, matches!(mode, DrawMode::Invisible));
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
