//! The walls around a child. They hold until the process ends, also after an `exec`:
//!
//! - kernel limits on memory, processor time, files and processes;
//! - no new privileges;
//! - a filter of system calls, which leaves out sockets, processes, signals and tracing, and opens
//!   files only to read them;
//! - by Landlock, no files but those that the child needs, and no network.
//!
//! A kernel may lack the last two. The child then works behind the other walls and says so.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError,
    RulesetStatus, Scope, path_beneath_rules,
};
use rustix::process::{Resource, Rlimit, getpid, setrlimit};
use rustix::thread::set_no_new_privs;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule,
};
use serde::{Deserialize, Serialize};

use crate::reader::Limits;

/// A dynamic linker and the data of an OCR engine need a few at a time.
const OPEN_FILES: u64 = 64;

/// Where programs, their libraries and their data are installed. `/opt` holds Lambda layers.
const INSTALLED: [&str; 6] = ["/usr", "/lib", "/lib64", "/bin", "/opt", "/etc/ld.so.cache"];

/// Any flag that lets `open` create or change a file.
const CHANGES: i32 = libc::O_ACCMODE | libc::O_CREAT | libc::O_TRUNC | libc::O_APPEND;

/// The system calls of a process that computes, reads what is open, and writes its answer.
const COMPUTING: &[i64] = &[
    libc::SYS_brk,
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_close,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_fstat,
    libc::SYS_futex,
    libc::SYS_getcpu,
    libc::SYS_getpid,
    libc::SYS_getrandom,
    libc::SYS_getrusage,
    libc::SYS_gettid,
    libc::SYS_gettimeofday,
    libc::SYS_lseek,
    libc::SYS_madvise,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_nanosleep,
    libc::SYS_pread64,
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_set_robust_list,
    libc::SYS_sigaltstack,
    libc::SYS_write,
    libc::SYS_writev,
];

/// What a program also needs to start and to find its files.
const STARTING: &[i64] = &[
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_execve,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_getcwd,
    libc::SYS_getdents64,
    libc::SYS_getegid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getuid,
    libc::SYS_newfstatat,
    libc::SYS_readlinkat,
    libc::SYS_set_tid_address,
    libc::SYS_statx,
    libc::SYS_sysinfo,
    libc::SYS_uname,
];

/// The older forms of the calls above, which later architectures lack.
#[cfg(target_arch = "x86_64")]
const OLDER: &[i64] = &[
    libc::SYS_access,
    libc::SYS_arch_prctl,
    libc::SYS_dup2,
    libc::SYS_lstat,
    libc::SYS_readlink,
    libc::SYS_stat,
    libc::SYS_time,
];
#[cfg(not(target_arch = "x86_64"))]
const OLDER: &[i64] = &[];

/// Who is behind the walls.
#[derive(Debug, Clone, Copy)]
pub enum Inside<'a> {
    /// A reader that has opened its document: it opens nothing more.
    Reader,
    /// A program that starts and reads what is installed, and these files.
    Program {
        /// Its path.
        program: &'a Path,
        /// Files and folders outside those of the system.
        reads: &'a [PathBuf],
    },
}

/// A wall that a kernel may lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wall {
    /// The filter of system calls.
    Seccomp,
    /// The limits on files and the network.
    Landlock,
}

/// Confines this thread, which must be the only one of its process. Returns the walls that the
/// kernel lacks.
///
/// # Errors
/// A limit that every kernel has could not be set.
pub fn confine(limits: &Limits, inside: Inside<'_>) -> io::Result<Vec<Wall>> {
    let seconds = limits.time.as_secs().max(1);
    for (resource, soft, hard) in [
        (Resource::As, limits.memory, limits.memory),
        (Resource::Cpu, seconds, seconds + 1),
        (Resource::Core, 0, 0),
        (Resource::Fsize, 0, 0),
        (Resource::Nofile, OPEN_FILES, OPEN_FILES),
        // Root is exempt from this one; the filter of system calls exempts no one.
        (Resource::Nproc, 0, 0),
    ] {
        let limit = Rlimit {
            current: Some(soft),
            maximum: Some(hard),
        };
        setrlimit(resource, limit)?;
    }
    set_no_new_privs(true)?;
    let mut missing = Vec::new();
    // Before the filter, which leaves out the calls that this makes.
    if !matches!(close_files(inside), Ok(status) if status != RulesetStatus::NotEnforced) {
        missing.push(Wall::Landlock);
    }
    let filter = filter(inside).map_err(seccompiler::Error::from);
    if filter
        .and_then(|filter| seccompiler::apply_filter(&filter))
        .is_err()
    {
        missing.push(Wall::Seccomp);
    }
    Ok(missing)
}

/// Closes all files but those that are needed, and the network, as far as the kernel can.
fn close_files(inside: Inside<'_>) -> Result<RulesetStatus, RulesetError> {
    let rules = Ruleset::default()
        .handle_access(AccessFs::from_all(ABI::V5))?
        .handle_access(AccessNet::from_all(ABI::V4))?
        .scope(Scope::from_all(ABI::V6))?
        .create()?;
    let rules = match inside {
        Inside::Reader => rules,
        Inside::Program { program, reads } => {
            let installed = INSTALLED.iter().map(Path::new);
            let own = reads.iter().map(PathBuf::as_path).chain([program]);
            let may_read = AccessFs::from_read(ABI::V5);
            rules.add_rules(path_beneath_rules(installed.chain(own), may_read))?
        }
    };
    Ok(rules.restrict_self()?.ruleset)
}

/// The filter of system calls. What it leaves out fails with `EPERM`.
fn filter(inside: Inside<'_>) -> Result<BpfProgram, BackendError> {
    let own = u64::from(getpid().as_raw_pid().unsigned_abs());
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = COMPUTING
        .iter()
        .map(|call| (*call, Vec::new()))
        .chain([
            // An abort.
            (libc::SYS_tgkill, only(0, SeccompCmpOp::Eq, own)?),
            // Flags and copies of descriptors. Later commands send signals.
            (
                libc::SYS_fcntl,
                only(1, SeccompCmpOp::Le, libc::F_SETFL as u64)?,
            ),
            // Its own limits; those of no other process.
            (libc::SYS_prlimit64, only(0, SeccompCmpOp::Eq, 0)?),
        ])
        .collect();
    if let Inside::Program { .. } = inside {
        let more = STARTING.iter().chain(OLDER);
        rules.extend(more.map(|call| (*call, Vec::new())));
        let to_read = SeccompCmpOp::MaskedEq(CHANGES as u64);
        rules.insert(libc::SYS_openat, only(2, to_read.clone(), 0)?);
        #[cfg(target_arch = "x86_64")]
        rules.insert(libc::SYS_open, only(1, to_read, 0)?);
    }
    let refused = SeccompAction::Errno(libc::EPERM as u32);
    let arch = std::env::consts::ARCH.try_into()?;
    SeccompFilter::new(rules, refused, SeccompAction::Allow, arch)?.try_into()
}

/// Allows a call only where this argument compares so with the value.
fn only(
    argument: u8,
    compares: SeccompCmpOp,
    value: u64,
) -> Result<Vec<SeccompRule>, BackendError> {
    let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, compares, value)?;
    Ok(vec![SeccompRule::new(vec![condition])?])
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File, OpenOptions};
    use std::io::Write;
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::os::unix::net::UnixDatagram;
    use std::os::unix::process::{CommandExt, parent_id};
    use std::process::{Command, Output};

    use nix::sys::ptrace;
    use rustix::process::{Pid, PidfdFlags};

    use super::*;

    /// Set in a child of a test: who it is, and where the test waits for it.
    const WHO: &str = "ESCAPES_AS";
    const FOLDER: &str = "ESCAPES_FROM";
    const ADDRESS: &str = "ESCAPES_TO";

    type Attempt = fn(&Place) -> io::Result<()>;

    struct Place {
        folder: PathBuf,
        address: String,
        parent: Pid,
    }

    impl Place {
        fn secret(&self) -> PathBuf {
            self.folder.join("secret")
        }

        fn of_parent(&self, file: &str) -> PathBuf {
            format!("/proc/{}/{file}", self.parent.as_raw_pid()).into()
        }
    }

    /// What any process of this user can do.
    const OPEN_TO_ALL: &[(&str, Attempt)] = &[
        ("connect", |to| TcpStream::connect(&to.address).map(drop)),
        ("listen", |_| TcpListener::bind("127.0.0.1:0").map(drop)),
        ("udp", |_| UdpSocket::bind("127.0.0.1:0").map(drop)),
        ("unix", |_| UnixDatagram::unbound().map(drop)),
        ("process", |_| {
            Command::new("/bin/true")
                .spawn()
                .and_then(|mut child| child.wait().map(drop))
        }),
        ("fork bomb", |_| {
            let spawn = |_| Command::new("/bin/true").spawn();
            let born: Vec<_> = (0..100).map(spawn).collect();
            let born: Vec<_> = born.into_iter().flatten().collect();
            let count = born.len();
            for mut child in born {
                child.wait()?;
            }
            match count {
                0 => Err(io::ErrorKind::PermissionDenied.into()),
                _ => Ok(()),
            }
        }),
        ("thread", |_| {
            let thread = std::thread::Builder::new().spawn(|| ())?;
            thread.join().map_err(|_| io::Error::other("panicked"))
        }),
        ("read", |from| fs::read(from.secret()).map(drop)),
        ("list", |from| fs::read_dir(&from.folder).map(drop)),
        ("create", |in_| {
            File::create(in_.folder.join("new")).map(drop)
        }),
        ("append", |in_| {
            let mut options = OpenOptions::new();
            options.append(true).open(in_.secret()).map(drop)
        }),
        ("rename", |in_| {
            fs::rename(in_.folder.join("other"), in_.folder.join("moved"))
        }),
        ("remove", |in_| fs::remove_file(in_.folder.join("third"))),
    ];

    /// What depends on the machine's settings or would disturb the parent.
    const AGAINST_THE_PARENT: &[(&str, Attempt)] = &[
        ("environ", |of| fs::read(of.of_parent("environ")).map(drop)),
        ("memory", |of| File::open(of.of_parent("mem")).map(drop)),
        ("ptrace", |of| {
            let parent = nix::unistd::Pid::from_raw(of.parent.as_raw_pid());
            Ok(ptrace::seize(parent, ptrace::Options::empty())?)
        }),
        ("signal", |to| {
            Ok(rustix::process::test_kill_process(to.parent)?)
        }),
        ("pidfd", |of| {
            let flags = PidfdFlags::empty();
            Ok(rustix::process::pidfd_open(of.parent, flags).map(drop)?)
        }),
        ("limits", |of| {
            let none = Rlimit {
                current: None,
                maximum: None,
            };
            let parent = Some(of.parent);
            Ok(rustix::process::prlimit(parent, Resource::Core, none).map(drop)?)
        }),
    ];

    /// The side of the child: tries everything, and says what came of it.
    fn escape(who: &str) -> io::Error {
        let place = Place {
            folder: std::env::var_os(FOLDER).unwrap().into(),
            address: std::env::var(ADDRESS).unwrap(),
            parent: Pid::from_raw(parent_id().try_into().unwrap()).unwrap(),
        };
        let inside = match who {
            "reader" => Some(Inside::Reader),
            "program" => Some(Inside::Program {
                program: Path::new("/bin/cat"),
                reads: &[],
            }),
            "reader of old" => {
                without_newer_calls();
                Some(Inside::Reader)
            }
            _ => None,
        };
        let missing = inside.map(|inside| confine(&Limits::default(), inside).unwrap());
        let mut output = io::stdout().lock();
        writeln!(output, "\nmissing: {:?}", missing.unwrap_or_default()).unwrap();
        let against = AGAINST_THE_PARENT.iter().filter(|_| inside.is_some());
        for (name, attempt) in OPEN_TO_ALL.iter().chain(against) {
            let result = attempt(&place).map_err(|error| error.kind());
            writeln!(output, "attempt {name}: {result:?}").unwrap();
        }
        output.flush().unwrap();
        Command::new("/bin/cat").arg(place.secret()).exec()
    }

    /// Makes this thread's kernel one that knows neither Landlock nor filters.
    fn without_newer_calls() {
        let newer = [libc::SYS_landlock_create_ruleset, libc::SYS_seccomp];
        let rules = newer.map(|call| (call, Vec::new())).into_iter().collect();
        let unknown = SeccompAction::Errno(libc::ENOSYS as u32);
        let arch = std::env::consts::ARCH.try_into().unwrap();
        let filter = SeccompFilter::new(rules, SeccompAction::Allow, unknown, arch).unwrap();
        let filter: BpfProgram = filter.try_into().unwrap();
        seccompiler::apply_filter(&filter).unwrap();
    }

    /// Runs the test of this name once more, as the child that tries to escape.
    fn escaping(test: &str, who: &str) -> (String, Output) {
        let folder = std::env::temp_dir().join(format!("walls-{who}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for file in ["secret", "other", "third"] {
            fs::write(folder.join(file), "the secret").unwrap();
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(WHO, who)
            .env(FOLDER, &folder)
            .env(ADDRESS, listener.local_addr().unwrap().to_string())
            .output()
            .unwrap();
        if matches!(who, "reader" | "program") {
            let kept = |file| fs::read(folder.join(file)).is_ok_and(|text| text == b"the secret");
            assert!(["secret", "other", "third"].into_iter().all(kept));
            assert!(!folder.join("new").exists());
        }
        fs::remove_dir_all(&folder).unwrap();
        (String::from_utf8_lossy(&output.stdout).into_owned(), output)
    }

    #[test]
    fn no_reader_and_no_program_escapes() {
        if let Ok(who) = std::env::var(WHO) {
            // The last attempt ends the process where it succeeds.
            let refused = escape(&who).kind();
            println!("attempt exec: Err({refused:?})");
            std::process::exit(0);
        }
        let test = "reader::child::walls::tests::no_reader_and_no_program_escapes";
        let all = OPEN_TO_ALL.iter().chain(AGAINST_THE_PARENT);
        for who in ["reader", "program"] {
            let (told, output) = escaping(test, who);
            let without_landlock = told.contains("Landlock");
            for (name, _) in all.clone() {
                let needs_landlock = ["read", "list", "environ", "memory"].contains(name);
                if without_landlock && who == "program" && needs_landlock {
                    println!("this kernel has no Landlock: not tried: {name}");
                    continue;
                }
                let refused = format!("attempt {name}: Err(PermissionDenied)\n");
                assert!(told.contains(&refused), "{who}: {name}: {told}");
            }
            // A program may execute what is installed, and it stays behind its walls.
            let errors = String::from_utf8_lossy(&output.stderr);
            match who {
                "reader" => assert!(told.contains("attempt exec: Err(PermissionDenied)")),
                _ => assert!(
                    without_landlock || errors.contains("Permission denied"),
                    "{errors}"
                ),
            }
            assert!(without_landlock || !told.contains("the secret"), "{told}");
        }
        // What a kernel lacks is told, and the limits that every kernel has remain.
        let (told, _) = escaping(test, "reader of old");
        assert!(told.contains("missing: [Landlock, Seccomp]"), "{told}");
        assert!(told.contains("attempt append: Ok(())"), "{told}");
        // The same attempts without walls, so that a refusal has no other reason.
        let (told, _) = escaping(test, "free");
        for (name, _) in OPEN_TO_ALL {
            assert!(
                told.contains(&format!("attempt {name}: Ok(())\n")),
                "{name}: {told}"
            );
        }
        assert!(told.contains("the secret"), "{told}");
    }
}
