//! PNG: the SVG drawn by resvg (Apache-2.0 or MIT, Rust alone), in the light colours.
//!
//! The font is Ubuntu Light from the crate `epaint_default_fonts` (Ubuntu Font Licence 1.0), so a picture is the same on every
//! machine, also on one without fonts. It has Latin, Greek and Cyrillic letters; others are drawn as empty boxes, or not at all.

use std::sync::{Arc, OnceLock};

use millpipe::Error;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

use crate::draw::Drawing;
use crate::theme::with_light_colours;

/// Pixels for a unit: sharp on screens of today.
const PIXELS_PER_UNIT: f32 = 2.0;
const FAMILY: &str = "Ubuntu";

/// Draws a PNG.
///
/// # Errors
/// When the drawing is too large for memory.
pub fn png(drawing: &Drawing) -> Result<Vec<u8>, Error> {
    let svg = with_light_colours(&drawing.svg);
    let options = Options { font_family: FAMILY.to_owned(), fontdb: fonts(), ..Options::default() };
    let tree = Tree::from_str(&svg, &options).map_err(|e| Error::data(format_args!("cannot draw the picture: {e}")))?;
    let size = tree.size();
    let pixels = |units: f32| (units * PIXELS_PER_UNIT).ceil().max(1.0) as u32;
    let too_large = || Error::data("the picture is too large for a PNG").hint("fewer panels, or a smaller --top");
    let mut pixmap = Pixmap::new(pixels(size.width()), pixels(size.height())).ok_or_else(too_large)?;
    resvg::render(&tree, Transform::from_scale(PIXELS_PER_UNIT, PIXELS_PER_UNIT), &mut pixmap.as_mut());
    pixmap.encode_png().map_err(|e| Error::data(format_args!("cannot write the PNG: {e}")))
}

fn fonts() -> Arc<fontdb::Database> {
    static FONTS: OnceLock<Arc<fontdb::Database>> = OnceLock::new();
    let fonts = FONTS.get_or_init(|| {
        let mut fonts = fontdb::Database::new();
        fonts.load_font_data(epaint_default_fonts::UBUNTU_LIGHT.to_vec());
        fonts.set_sans_serif_family(FAMILY);
        Arc::new(fonts)
    });
    Arc::clone(fonts)
}
