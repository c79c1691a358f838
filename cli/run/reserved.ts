/** Whose change breaks the program before it begins, or has it run somebody else's code. */
const NEVER = new Set(['PATH', 'HOME', 'PS1', 'IFS', 'BASH_ENV', 'PROMPT_COMMAND']);
/** Variables of the dynamic linkers. */
const LINKER = /^(LD|DYLD)_/;

/** By which shells, interpreters and tools run what the value says, or load code from where it says; by what reads them. */
const RUNS_CODE = new Set(
  [
    'ENV SHELLOPTS BASHOPTS PS0 PS2 PS4 ZDOTDIR FPATH SHELL',
    'NODE_OPTIONS NODE_PATH NODE_REPL_EXTERNAL_MODULE',
    'PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONUSERBASE PYTHONWARNINGS PYTHONBREAKPOINT',
    'PERL5OPT PERL5LIB PERL5DB PERLLIB',
    'RUBYOPT RUBYLIB RUBYSHELL GEM_HOME GEM_PATH BUNDLE_GEMFILE',
    'JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS JAVA_OPTS CLASSPATH MAVEN_OPTS GRADLE_OPTS',
    'DOTNET_STARTUP_HOOKS DOTNET_ADDITIONAL_DEPS CORECLR_ENABLE_PROFILING CORECLR_PROFILER',
    'PHPRC PHP_INI_SCAN_DIR ERL_FLAGS ERL_AFLAGS ERL_ZFLAGS ELIXIR_ERL_OPTIONS',
    'R_PROFILE R_PROFILE_USER R_ENVIRON R_ENVIRON_USER R_LIBS R_LIBS_USER',
    'GIT_SSH GIT_SSH_COMMAND GIT_PROXY_COMMAND GIT_EXEC_PATH GIT_TEMPLATE_DIR GIT_EXTERNAL_DIFF',
    'GIT_ASKPASS GIT_EDITOR GIT_SEQUENCE_EDITOR GIT_PAGER SSH_ASKPASS',
    'PAGER MANPAGER LESSOPEN LESSCLOSE EDITOR VISUAL BROWSER',
    'OPENSSL_CONF OPENSSL_MODULES OPENSSL_ENGINES GCONV_PATH MAKEFLAGS GOFLAGS',
  ].flatMap((names) => names.split(' ')),
);
/** The same of those that may go on with a number or a version. */
const RUNS_CODE_TOO = /^(LUA_(INIT|PATH|CPATH)|CORECLR_PROFILER_PATH|GIT_CONFIG)(_|$)/;

/**
 * Whether a secret of that name is kept from the variables of a program.
 * @param isAsked whether whoever runs the program asked for this very one: then he wants what it does.
 */
export function isReserved(name: string, isAsked: boolean): boolean {
  if (NEVER.has(name) || LINKER.test(name)) return true;
  return !isAsked && (RUNS_CODE.has(name) || RUNS_CODE_TOO.test(name));
}
