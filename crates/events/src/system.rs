//! The machine whose events are meant.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::Error;
use crate::kernel_file;
use crate::pmu::Pmu;
use crate::probe::FunctionFinder;
use crate::processor::{self, Identification};
use crate::table::{BuiltInTable, EventTable};

/// The machine whose events are meant: where its sysfs and tracefs are, which processor it has, which tables the user
/// gave.
///
/// What sysfs says is read when it is first needed and kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct System {
    sysfs: PathBuf,
    tracefs: Vec<PathBuf>,
    procfs: PathBuf,
    identification: Option<Identification>,
    user_tables: Vec<EventTable>,
    function_finder: Option<FunctionFinder>,
    foreign: bool,
    pmus: OnceLock<Vec<Pmu>>,
    core_tables: OnceLock<Vec<CoreTables>>,
}

/// The tables of one core PMU.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct CoreTables {
    /// The vendor's.
    pub(crate) vendor: Option<EventTable>,
    /// OProfile's.
    pub(crate) oprofile: Option<EventTable>,
}

impl System {
    /// The running machine.
    pub fn here() -> Self {
        let tracefs = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"].map(PathBuf::from).into();
        Self { tracefs, procfs: "/proc".into(), ..Self::at("/sys", "") }
    }

    /// A machine whose trees are elsewhere, such as a made-up one: `sysfs` holds `bus/event_source/devices`, `tracefs`
    /// holds `events`. Which processor it has is not known; see [`with_processor`](Self::with_processor).
    pub fn at(sysfs: impl Into<PathBuf>, tracefs: impl Into<PathBuf>) -> Self {
        Self {
            sysfs: sysfs.into(),
            tracefs: vec![tracefs.into()],
            procfs: PathBuf::new(),
            identification: None,
            user_tables: Vec::new(),
            function_finder: None,
            foreign: false,
            pmus: OnceLock::new(),
            core_tables: OnceLock::new(),
        }
    }

    /// Another machine's processor, of which nothing but this table is known: its events can be listed, checked and,
    /// where the family's fields are built in, encoded.
    pub fn foreign(table: EventTable) -> Self {
        let pmu = Pmu::built_in(table.family);
        let tables = match table.cpu.contains('/') {
            true => CoreTables { vendor: None, oprofile: Some(table) },
            false => CoreTables { vendor: Some(table), oprofile: None },
        };
        Self { foreign: true, pmus: vec![pmu].into(), core_tables: vec![tables].into(), ..Self::at("", "") }
    }

    /// The same with this processor, whatever the machine has.
    pub fn with_processor(self, identification: Identification) -> Self {
        Self { identification: Some(identification), core_tables: OnceLock::new(), ..self }
    }

    /// The same with what finds functions in files, for probes.
    pub fn with_function_finder(self, finder: FunctionFinder) -> Self {
        Self { function_finder: Some(finder), ..self }
    }

    pub(crate) fn function_finder(&self) -> Option<FunctionFinder> {
        self.function_finder
    }

    /// The same with a table of the user's, which comes after those given before.
    pub fn with_table(mut self, table: EventTable) -> Self {
        self.user_tables.push(table);
        self
    }

    /// The same with a table that has to be for this machine, as one that a user gives.
    ///
    /// # Errors
    /// [`Error::TableWithoutPmu`] where the table is for a core PMU that the machine does not have, beside those that it
    /// has. Without any, as in most virtual machines, and for another machine's processor, the name says nothing.
    pub fn with_checked_table(self, table: EventTable) -> Result<Self, Error> {
        let cores = self.core_pmus();
        match &table.pmu {
            Some(pmu) if !self.foreign && !cores.is_empty() && cores.iter().all(|core| core.name != *pmu) => {
                let known = cores.iter().map(|core| core.name.clone()).collect();
                Err(Error::TableWithoutPmu { table: table.cpu, pmu: pmu.clone(), known })
            }
            _ => Ok(self.with_table(table)),
        }
    }

    /// All PMUs that sysfs lists, by name; empty where it lists none.
    pub fn pmus(&self) -> &[Pmu] {
        self.pmus.get_or_init(|| {
            let devices = self.sysfs.join("bus/event_source/devices");
            let names = kernel_file::names(&devices).unwrap_or_default();
            names.iter().filter_map(|name| Pmu::read(&devices, name)).collect()
        })
    }

    /// The PMUs that count what a core executes: one, several on a hybrid part, none in most virtual machines.
    pub fn core_pmus(&self) -> Vec<&Pmu> {
        self.pmus().iter().filter(|pmu| pmu.core).collect()
    }

    /// What identifies the processor; that of the first CPU.
    pub fn processor(&self) -> Identification {
        self.identification_of(0)
    }

    fn identification_of(&self, cpu: u32) -> Identification {
        match &self.identification {
            Some(given) => given.clone(),
            None if self.procfs.as_os_str().is_empty() => Identification::default(),
            None => Identification::read(&self.sysfs, &self.procfs, cpu),
        }
    }

    /// The CPU types of the processor's built-in tables: the vendor's, then OProfile's. There can be some without a core
    /// PMU: then the machine has them and its hypervisor does not pass them on.
    pub fn cpu_types(&self) -> Vec<&'static str> {
        let identification = self.processor();
        let vendor = processor::vendor_tables(&identification).into_iter().map(|table| table.cpu);
        vendor.chain(processor::oprofile_type(&identification, self.has_hyper_threads())).collect()
    }

    /// The tables that the user gave.
    pub(crate) fn user_tables(&self) -> &[EventTable] {
        &self.user_tables
    }

    /// It is another machine's processor, without anything of this machine's.
    pub(crate) fn is_foreign(&self) -> bool {
        self.foreign
    }

    /// The tables of each core PMU, in their order.
    pub(crate) fn core_tables(&self) -> &[CoreTables] {
        self.core_tables.get_or_init(|| {
            let cores = self.core_pmus();
            let several = cores.len() > 1;
            cores.iter().map(|pmu| self.tables_of(pmu, several)).collect()
        })
    }

    fn tables_of(&self, pmu: &Pmu, several: bool) -> CoreTables {
        // Cores of different kinds can differ in what identifies them (Arm) or in their role alone (Intel).
        let first = pmu.cpus.as_ref().and_then(|cpus| cpus.first()).copied().unwrap_or(0);
        let identification = self.identification_of(first);
        let role = match pmu.name.as_str() {
            "cpu_core" => "Core",
            "cpu_atom" => "Atom",
            "cpu_lowpower" => "LowPower_Atom",
            _ => "",
        };
        let tables = processor::vendor_tables(&identification);
        let of_role = tables.iter().find(|table| table.role == role);
        let vendor = of_role.or_else(|| tables.first().filter(|_| !several || role.is_empty()));
        let parse = |cpu: &str| BuiltInTable::find(cpu).and_then(|table| table.parse().ok());
        let oprofile = processor::oprofile_type(&identification, self.has_hyper_threads());
        CoreTables { vendor: vendor.and_then(|table| parse(table.cpu)), oprofile: oprofile.and_then(parse) }
    }

    /// A core of the first CPU runs several threads.
    fn has_hyper_threads(&self) -> bool {
        let siblings = self.sysfs.join("devices/system/cpu/cpu0/topology/thread_siblings_list");
        kernel_file::read(&siblings).is_ok_and(|list| list.contains([',', '-']))
    }

    /// Where tracefs may be, likeliest first.
    pub(crate) fn tracefs(&self) -> impl Iterator<Item = &Path> {
        self.tracefs.iter().map(PathBuf::as_path)
    }
}
