//! Finds what of a page is damaged, before hayro repairs or omits it.
//!
//! Only what the page uses is inspected: many programs give all pages one list of fonts and images.
//! Each object is inspected once for all pages.

use std::collections::{HashMap, HashSet};

use hayro::hayro_interpret::hayro_syntax::Pdf;
use hayro::hayro_interpret::hayro_syntax::content::UntypedIter;
use hayro::hayro_interpret::hayro_syntax::object::{
    Array, Dict, MaybeRef, Name, ObjRef, Object, ObjectIdentifier, Stream,
};
use hayro::hayro_interpret::hayro_syntax::page::Page;

use super::super::{Damage, Fault, Part};
use super::filters::unpack;
use super::raster::image_fault;

/// Maximum nesting of drawings within drawings, above that of real pages.
const DEPTH: usize = 16;

/// The parts of a font whose damage loses text.
const OF_A_FONT: [&str; 9] = [
    "CIDToGIDMap",
    "DescendantFonts",
    "Encoding",
    "FontDescriptor",
    "FontFile",
    "FontFile2",
    "FontFile3",
    "ToUnicode",
    "Widths",
];

/// Inspects the pages of a document.
pub(super) struct Inspector<'a> {
    pdf: &'a Pdf,
    /// The objects whose bytes are in a damaged object stream; unknown before the first page.
    altered: Option<HashSet<u32>>,
    /// What was found of each object.
    known: HashMap<ObjectIdentifier, Option<Damage>>,
}

/// The inspection of one page.
struct Search<'i, 'a> {
    inspector: &'i mut Inspector<'a>,
    with_images: bool,
    seen: HashSet<ObjectIdentifier>,
    found: Option<Damage>,
}

impl<'a> Inspector<'a> {
    pub fn new(pdf: &'a Pdf) -> Self {
        Self {
            pdf,
            altered: None,
            known: HashMap::new(),
        }
    }

    /// The damage of a page's text, and with `with_images` also of its images.
    pub fn inspect(&mut self, page: &Page<'a>, with_images: bool) -> Option<Damage> {
        let mut search = Search {
            inspector: self,
            with_images,
            seen: HashSet::new(),
            found: None,
        };
        search.page(page);
        search.found
    }

    /// The objects whose bytes are in a damaged object stream.
    fn altered(&mut self) -> &HashSet<u32> {
        let pdf = self.pdf;
        self.altered.get_or_insert_with(|| {
            // Without object streams, which are rare in small files, no object is parsed.
            let bytes = pdf.data().as_ref();
            match bytes.windows(7).any(|window| window == b"/ObjStm") {
                true => pdf.objects().into_iter().flat_map(altered_by).collect(),
                false => HashSet::new(),
            }
        })
    }
}

/// The objects in an object stream, if it is damaged. The numbers stand at its beginning.
fn altered_by(object: Object<'_>) -> Vec<u32> {
    let Object::Stream(stream) = object else {
        return vec![];
    };
    let kind = stream.dict().get::<Name<'_>>("Type");
    if kind.is_none_or(|kind| kind.as_ref() != b"ObjStm") {
        return vec![];
    }
    let unpacked = unpack(&stream, usize::MAX);
    if unpacked.fault.is_none() {
        return vec![];
    }
    let count: usize = stream.dict().get("N").unwrap_or_default();
    let words = unpacked.bytes.split(u8::is_ascii_whitespace);
    let numbers = words.map_while(|word| std::str::from_utf8(word).ok()?.parse().ok());
    numbers.step_by(2).take(count).collect()
}

impl<'a> Search<'_, 'a> {
    fn page(&mut self, page: &Page<'a>) {
        if let Some(id) = page.raw().obj_id()
            && self.inspector.altered().contains(&id.obj_number)
        {
            self.add(Part::Content, Fault::Corrupt);
        }
        match self.follow(page.raw(), "Contents", Part::Content) {
            Some(Object::Stream(stream)) => {
                self.packed(&stream, Part::Content);
            }
            Some(Object::Array(streams)) => {
                for stream in streams.raw_iter() {
                    if let Some(Object::Stream(stream)) = self.resolve(stream, Part::Content) {
                        self.packed(&stream, Part::Content);
                    }
                }
            }
            _ => {}
        }
        let resources = self.inherited(page.raw(), "Resources");
        let content = page.page_stream().unwrap_or_default();
        self.content(content, &resources, Part::Content, 0);
        self.annotations(page.raw(), &resources);
    }

    fn annotations(&mut self, page: &Dict<'a>, resources: &Dict<'a>) {
        let all = page.get::<Array<'a>>("Annots").unwrap_or_default();
        // hayro draws none behind one that is missing. One at the end was deleted.
        if all.iter::<Dict<'a>>().count() < all.raw_iter().count() {
            let is_there = match all.raw_iter().last() {
                Some(MaybeRef::Ref(last)) => {
                    let xref = self.inspector.pdf.xref();
                    xref.get::<Object<'a>>(last.into()).is_some()
                }
                last => last.is_some(),
            };
            if is_there {
                self.add(Part::Drawing, Fault::Missing);
            }
        }
        for annotation in all.iter::<Dict<'a>>() {
            let Some(Object::Dict(appearance)) = self.follow(&annotation, "AP", Part::Drawing)
            else {
                continue;
            };
            if let Some(Object::Stream(form)) = self.follow(&appearance, "N", Part::Drawing) {
                self.form(&form, resources, 0);
            }
        }
    }

    /// An entry of a page, or of the nearest node above it in the page tree.
    fn inherited(&mut self, page: &Dict<'a>, key: &str) -> Dict<'a> {
        let mut node = page.clone();
        let mut above = HashSet::new();
        loop {
            if node.contains_key(key) {
                let resources = self.follow(&node, key, Part::Resources);
                return resources.and_then(Object::into_dict).unwrap_or_default();
            }
            match node.get::<Dict<'a>>("Parent") {
                Some(parent) if above.insert(parent.obj_id()) => node = parent,
                _ => return Dict::default(),
            }
        }
    }

    /// What a content uses: fonts, drawings and images. A text that does not end has broken off.
    fn content(&mut self, content: &[u8], resources: &Dict<'a>, part: Part, depth: usize) {
        let mut used: HashSet<(&str, Vec<u8>)> = HashSet::new();
        let mut in_text = false;
        let mut operators = UntypedIter::new(content);
        while let Some(instruction) = operators.next() {
            let list = match &**instruction.operator {
                b"BT" => {
                    in_text = true;
                    continue;
                }
                b"ET" => {
                    in_text = false;
                    continue;
                }
                b"Do" => "XObject",
                b"Tf" => "Font",
                b"gs" => "ExtGState",
                b"scn" | b"SCN" => "Pattern",
                _ => continue,
            };
            for operand in instruction.operands() {
                if let Object::Name(name) = operand {
                    used.insert((list, name.as_ref().to_vec()));
                }
            }
        }
        if in_text {
            self.add(part, Fault::BrokenOff);
        }
        let mut used: Vec<(&str, Vec<u8>)> = used.into_iter().collect();
        // In a fixed order, so that the same damage is named each time.
        used.sort_unstable();
        for (list, name) in used {
            let Some(Object::Dict(entries)) = self.follow(resources, list, Part::Resources) else {
                continue;
            };
            let part = match list {
                "Font" => Part::Font,
                _ => Part::Drawing,
            };
            match self.follow(&entries, name, part) {
                Some(Object::Dict(font)) if list == "Font" => self.font(&font, 0),
                Some(Object::Dict(state)) => self.soft_mask(&state, resources, depth),
                Some(Object::Stream(stream)) => match subtype(&stream).as_deref() {
                    Some(b"Image") => self.image(&stream),
                    _ => self.form(&stream, resources, depth),
                },
                _ => {}
            }
        }
    }

    /// A drawing or a pattern, and what it draws. Without a list of its own it uses the page's.
    fn form(&mut self, form: &Stream<'a>, outer: &Dict<'a>, depth: usize) {
        if depth >= DEPTH || !self.seen.insert(form.obj_id()) {
            return;
        }
        self.packed(form, Part::Drawing);
        let resources = match form.dict().contains_key("Resources") {
            true => self.follow(form.dict(), "Resources", Part::Resources),
            false => Some(Object::Dict(outer.clone())),
        };
        let resources = resources.and_then(Object::into_dict).unwrap_or_default();
        let content = form.decoded_data().unwrap_or_default();
        self.content(&content, &resources, Part::Drawing, depth + 1);
    }

    /// What a graphics state hides a part of the page with.
    fn soft_mask(&mut self, state: &Dict<'a>, resources: &Dict<'a>, depth: usize) {
        if let Some(Object::Dict(mask)) = self.follow(state, "SMask", Part::Drawing)
            && let Some(Object::Stream(group)) = self.follow(&mask, "G", Part::Drawing)
        {
            self.form(&group, resources, depth);
        }
    }

    fn font(&mut self, font: &Dict<'a>, depth: usize) {
        if depth > 3 {
            return;
        }
        for key in OF_A_FONT {
            match self.follow(font, key, Part::Font) {
                Some(Object::Stream(stream)) => self.packed(&stream, Part::Font),
                Some(Object::Dict(part)) => self.font(&part, depth + 1),
                Some(Object::Array(fonts)) if key == "DescendantFonts" => {
                    for descendant in fonts.raw_iter() {
                        let descendant = self.resolve(descendant, Part::Font);
                        if let Some(Object::Dict(descendant)) = descendant {
                            self.font(&descendant, depth + 1);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn image(&mut self, image: &Stream<'a>) {
        if !self.with_images || !self.seen.insert(image.obj_id()) {
            return;
        }
        self.once(image, |image| {
            let fault = image_fault(image)?;
            Some(Damage {
                part: Part::Image,
                fault,
            })
        });
        for mask in ["SMask", "Mask"] {
            if let Some(Object::Stream(mask)) = self.follow(image.dict(), mask, Part::Image) {
                self.image(&mask);
            }
        }
    }

    /// A stream that is no image.
    fn packed(&mut self, stream: &Stream<'a>, part: Part) {
        self.once(stream, |stream| {
            let unpacked = unpack(stream, usize::MAX);
            // A predictor or a cipher can fail too.
            let failed = || stream.decoded_data().is_err().then_some(Fault::Corrupt);
            let fault = unpacked.fault.or_else(failed)?;
            Some(Damage { part, fault })
        });
    }

    fn once(&mut self, stream: &Stream<'a>, find: impl Fn(&Stream<'a>) -> Option<Damage>) {
        let known = self.inspector.known.entry(stream.obj_id());
        let damage = *known.or_insert_with(|| find(stream));
        self.found = self.found.or(damage);
    }

    /// An entry, directly or by its reference.
    fn follow(
        &mut self,
        dictionary: &Dict<'a>,
        key: impl AsRef<[u8]>,
        part: Part,
    ) -> Option<Object<'a>> {
        let entry = dictionary.get_raw::<Object<'a>>(key)?;
        self.resolve(entry, part)
    }

    fn resolve(&mut self, entry: MaybeRef<Object<'a>>, part: Part) -> Option<Object<'a>> {
        let reference: ObjRef = match entry {
            MaybeRef::NotRef(object) => return Some(object),
            MaybeRef::Ref(reference) => reference,
        };
        let id = ObjectIdentifier::from(reference);
        if self.inspector.altered().contains(&id.obj_number) {
            self.add(part, Fault::Corrupt);
        }
        let object = self.inspector.pdf.xref().get::<Object<'a>>(id);
        if object.is_none() {
            self.add(part, Fault::Missing);
        }
        object
    }

    fn add(&mut self, part: Part, fault: Fault) {
        self.found = self.found.or(Some(Damage { part, fault }));
    }
}

fn subtype(stream: &Stream<'_>) -> Option<Vec<u8>> {
    let name = stream.dict().get::<Name<'_>>("Subtype")?;
    Some(name.as_ref().to_vec())
}
