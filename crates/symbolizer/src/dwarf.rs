//! Turns addresses of an image into source lines and inlined calls, by its debugging information (DWARF 2 to 5).
//!
//! The image is read once, unit by unit and on all processors: a unit that holds none of the addresses costs no more
//! than its first entry, of any other the entries are walked and the line table is run once for all its addresses.
//! Nothing is indexed or kept for later questions, as a recording asks a single one for each image. A damaged unit is
//! missing from the answer and harms no other. A file with gigabytes of debugging information is never in memory: of
//! `.debug_info` a unit at a time is, while it is asked, and of other sections the blocks that something was read in.
//!
//! The addr2line crate answers the same question. It gives up an image with a damaged unit as a whole, knows no bound
//! for what hostile sections cost, and works for one thread; the tests compare with it, and `benches/` measures both.

mod aranges;
mod bytes;
mod entry_ranges;
mod function_name;
mod functions;
mod lines;
mod places;
mod section;
mod sections;
mod source_path;
mod split;
mod supplementary;
mod task;
mod unit;
mod unit_answer;
mod unit_list;
mod work;

pub(crate) use places::Debugging;
