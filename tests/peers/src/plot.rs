//! Draws the figures as bars on a logarithmic scale, with a panel for each size.

use std::path::Path;

use plotters::{
    prelude::{
        BLACK, ChartBuilder, Color, IntoDrawingArea, IntoFont, IntoLogRange, RGBColor, Rectangle, SVGBackend, Text,
        WHITE,
    },
    style::text_anchor::{HPos, Pos, VPos},
};

use crate::{
    machine::Machine,
    peer::{Failure, Side},
    report::{Figures, digits, grouped, sizes, time},
};

const WIDTH: u32 = 940;
/// The height of a bar and the gap to the next.
const PITCH: u32 = 22;
/// The height of a panel without its bars.
const FRAME: u32 = 56;
/// The width of the names, left of the bars.
const NAMES: u32 = 310;
const TITLE: u32 = 40;
const FONT: &str = "sans-serif";

/// Draws all figures into an SVG file.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn draw(path: &Path, machine: &Machine, all: &[Figures]) -> Result<(), Failure> {
    let sizes = sizes(all);
    let panels: Vec<Vec<&Figures>> =
        sizes.iter().map(|size| all.iter().filter(|figures| figures.elements == *size).collect()).collect();
    let height = |panel: &Vec<&Figures>| FRAME + PITCH * panel.len() as u32;
    let root = SVGBackend::new(path, (WIDTH, TITLE + panels.iter().map(height).sum::<u32>())).into_drawing_area();
    root.fill(&WHITE)?;
    let title = format!("One row of RMSNorm: median time, logarithmic ({})", machine.short());
    root.draw(&Text::new(title, (12, 14), (FONT, 20).into_font()))?;
    let mut rest = root.split_vertically(TITLE).1;
    for (size, panel) in sizes.iter().zip(&panels) {
        let (area, below) = rest.split_vertically(height(panel));
        rest = below;
        let (least, most) = panel
            .iter()
            .fold((f64::MAX, f64::MIN), |(least, most), figures| (least.min(figures.ns), most.max(figures.ns)));
        // The axis starts at the power of ten below the smallest time; the space on the right is for the times as text.
        let (from, to) = (10f64.powf(least.log10().floor()), most * 6.0);
        let count = panel.len() as f64;
        let mut chart = ChartBuilder::on(&area)
            .caption(format!("{} floats", grouped(*size)), (FONT, 18))
            .margin_right(12)
            .x_label_area_size(24)
            .y_label_area_size(NAMES)
            .build_cartesian_2d((from..to).log_scale(), 0.0..count)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .disable_y_axis()
            .x_label_formatter(&|ns| time(*ns).replacen(".00", "", 1).replacen(".0", "", 1))
            .x_max_light_lines(0)
            .draw()?;
        for (index, figures) in panel.iter().enumerate() {
            // The first bar is at the top.
            let middle = count - index as f64 - 0.5;
            let colour = colour(figures.side);
            let bar = [(from, middle - 0.36), (figures.ns, middle + 0.36)];
            chart.draw_series([Rectangle::new(bar, colour.filled())])?;
            let style = (FONT, 15).into_font().color(&BLACK);
            let value = format!("{} ({}×)", time(figures.ns), digits(figures.ratio));
            let (x, y) = chart.backend_coord(&(figures.ns, middle));
            root.draw(&Text::new(value, (x + 6, y), style.pos(Pos::new(HPos::Left, VPos::Center))))?;
            let style = (FONT, 15).into_font().color(&BLACK);
            let (x, y) = chart.backend_coord(&(from, middle));
            root.draw(&Text::new(figures.peer, (x - 8, y), style.pos(Pos::new(HPos::Right, VPos::Center))))?;
        }
    }
    root.present()?;
    Ok(())
}

/// Returns the colour of a kind of peer; the colours also differ in brightness.
fn colour(side: Side) -> RGBColor {
    match side {
        Side::Native => RGBColor(90, 90, 90),
        Side::Kernelpack => RGBColor(0, 104, 139),
        Side::Peer => RGBColor(230, 159, 90),
        Side::Orientation => RGBColor(200, 200, 200),
    }
}
