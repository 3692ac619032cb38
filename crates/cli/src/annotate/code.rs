//! The instructions of a function, from the image that was sampled.

use std::fs::File;
use std::path::PathBuf;

use oprof_collector::is_mapped_file;
use oprof_profile::{Image, ImageAddress, ImageIdentity, ImageKind, Recording};
use oprof_report::{CodeLine, FunctionExtent, SourcePaths};
use oprof_symbolizer::{DebugDirectories, Symbolizer, Syntax, build_id, disassemble, image_code};

use crate::session::{ImageFiles, ImagePlaces, NoFile};

/// The code of a function.
pub(crate) struct Code {
    /// Its instructions.
    pub(crate) lines: Vec<CodeLine>,
    /// The format of its image, as objdump calls it.
    pub(crate) format: &'static str,
    /// The section that it is in.
    pub(crate) section: String,
}

/// What a reader chose about instructions.
#[derive(Clone, Debug)]
pub(crate) struct CodeReader<'a> {
    /// Where images are.
    pub(crate) places: &'a ImagePlaces,
    /// How they are written.
    pub(crate) syntax: Syntax,
    /// The source line of each instruction is wanted.
    pub(crate) lines: bool,
    /// How paths of source files are shown.
    pub(crate) source_paths: &'a SourcePaths,
}

impl CodeReader<'_> {
    /// The instructions of a function.
    ///
    /// # Errors
    /// Why there are none.
    pub(crate) fn read(&self, recording: &Recording, extent: FunctionExtent) -> Result<Code, String> {
        let image = recording.image(extent.image).ok_or("the image is not known")?;
        let (path, file) = self.open(image)?;
        let code = image_code(&file, extent.address, extent.size)
            .map_err(|reason| format!("{} has no code there ({})", path.display(), reason.reason()))?;
        let Some(machine) = code.machine else {
            return Err("the processor is none whose instructions can be shown".to_owned());
        };
        let instructions = disassemble(machine, self.syntax, &code.bytes, extent.address);
        let lines = instructions.into_iter().map(|instruction| {
            let target = instruction.target.and_then(|target| name_of_target(recording, extent, target));
            CodeLine {
                address: instruction.address.0,
                length: instruction.length as u64,
                text: match target {
                    Some(target) => format!("{} <{target}>", instruction.text),
                    None => instruction.text,
                },
                ..CodeLine::default()
            }
        });
        let mut lines: Vec<CodeLine> = lines.collect();
        if self.lines {
            self.add_lines(recording, extent, (&path, &file), &mut lines);
        }
        Ok(Code { lines, format: machine.format(), section: code.section })
    }

    fn open(&self, image: &Image) -> Result<(PathBuf, File), String> {
        if !matches!(image.kind, ImageKind::File) {
            return Err(format!("{} is no file", image.name));
        }
        let (path, file) = ImageFiles::new(self.places).open(&image.name).map_err(|why| match why {
            NoFile::Missing => format!("{} is not there any more", image.name),
            NoFile::Unreadable => format!("{} cannot be read", image.name),
            NoFile::Several => format!("{} is there more than once", image.name),
        })?;
        // A session's time of an image is judged where its names are read.
        let is_judged = matches!(image.identity, ImageIdentity::Modified(_));
        if !is_judged && !is_mapped_file(&file, image.identity, |file| build_id(file).ok().flatten()) {
            return Err(format!("{} is not the one that was sampled any more", path.display()));
        }
        Ok((path, file))
    }

    fn add_lines(
        &self,
        recording: &Recording,
        extent: FunctionExtent,
        (path, file): (&PathBuf, &File),
        lines: &mut [CodeLine],
    ) {
        let Some(names) = recording.image_names(extent.image) else { return };
        let offset_of = |line: &CodeLine| names.offset(ImageAddress(line.address));
        let offsets: Vec<_> = lines.iter().filter_map(offset_of).collect();
        let symbolizer = Symbolizer::new(DebugDirectories::default());
        let found = symbolizer.resolve_file(Some(path), file, &ImageIdentity::None, &offsets);
        for line in lines {
            line.source = offset_of(line).and_then(|offset| {
                let place = found.place(offset)?.line?;
                let path = found.file(place.file)?;
                Some((self.source_paths.show(path).into_owned(), place.line))
            });
        }
    }
}

/// The symbol that holds the target of a jump, and how far into it that is, as far as the recording knows it.
fn name_of_target(recording: &Recording, extent: FunctionExtent, target: ImageAddress) -> Option<String> {
    let symbols = &recording.image_names(extent.image)?.symbols;
    let holds = |start: ImageAddress, size: u64| target.0.wrapping_sub(start.0) < size.max(1);
    let symbol = symbols.iter().find(|symbol| holds(symbol.address, symbol.size))?;
    Some(match target.0 - symbol.address.0 {
        0 => symbol.name.clone(),
        distance => format!("{}+0x{distance:x}", symbol.name),
    })
}
