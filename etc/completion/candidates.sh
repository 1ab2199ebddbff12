# What can come next on a command line of dtcps, dtcpclient, dtcpctl or dtcpauth. For bash and zsh
# alike, as sh has it. Options, commands and what these take are read from --help, users and
# instances from the programs: nothing here has to follow a change of theirs.

# _dtcp_candidates PROGRAM CURRENT WORD...: prints, one a line, what the word that is CURRENT up to now
# can be, after the WORDs; "/" for the name of a file. What cannot be typed without quotes is left out.
_dtcp_candidates()
{
    _dtcp_program=$1 _dtcp_current=$2
    shift 2
    _dtcp_name=${_dtcp_program##*/}
    _dtcp_help=$("$_dtcp_program" --help 2>/dev/null) || return 0
    _dtcp_option='' _dtcp_daemon='' _dtcp_place='' _dtcp_given='' _dtcp_first='' _dtcp_second=''
    _dtcp_user=''
    # Options go, with their values; words stay. Those that say who is asked are kept.
    for _dtcp_word; do
        if [ -n "$_dtcp_option" ]; then
            case $_dtcp_option in
            -i | --instance | --socket | --database)
                _dtcp_daemon=$_dtcp_option _dtcp_place=$_dtcp_word
                ;;
            esac
            _dtcp_option=''
            continue
        fi
        case $_dtcp_word in
        -*)
            [ -z "$(_dtcp_takes "$_dtcp_word")" ] || _dtcp_option=$_dtcp_word
            continue
            ;;
        esac
        _dtcp_given="${_dtcp_given}x"
        case $_dtcp_given in
        x) _dtcp_first=$_dtcp_word ;;
        xx) _dtcp_second=$_dtcp_word ;;
        esac
        _dtcp_user=$_dtcp_word
    done
    if [ -n "$_dtcp_option" ]; then
        _dtcp_values "$_dtcp_option"
        return 0
    fi
    case $_dtcp_current in
    --*=*)
        _dtcp_values "${_dtcp_current%%=*}" | sed "s/^/${_dtcp_current%%=*}=/"
        ;;
    -*) printf '%s\n' "$_dtcp_help" | sed -n 's/^  \(-[-A-Za-z]*\).*/\1/p' ;;
    *) _dtcp_words ;;
    esac
    return 0
}

# The word for the value that an option takes, "FILE"; nothing if it takes none.
_dtcp_takes()
{
    printf '%s\n' "$_dtcp_help" | sed -n "s/^  $1 \([A-Z][^ ]*\).*/\1/p"
}

# The program's answer, of the daemon or the database that was chosen.
_dtcp_ask()
{
    if [ -n "$_dtcp_daemon" ]; then
        "$_dtcp_program" "$_dtcp_daemon" "$_dtcp_place" "$@" 2>/dev/null
    else
        "$_dtcp_program" "$@" 2>/dev/null
    fi
}

# Only words that a shell takes as they are: nobody's name is to be a command of root's shell.
_dtcp_plain()
{
    grep -E '^[A-Za-z0-9][]A-Za-z0-9._@%+:,/[-]*$'
}

_dtcp_users()
{
    case $_dtcp_name in
    dtcpctl) _dtcp_ask --json sessions | sed -n 's/.*"user": *"\([^"\\]*\)".*/\1/p' ;;
    dtcpauth) _dtcp_ask list | sed -n '2,$s/ .*//p' ;;
    *) sed 's/:.*//' /etc/passwd ;;
    esac | _dtcp_plain
}

# Tunnel interfaces of the daemons that have a control socket.
_dtcp_instances()
{
    _dtcp_folder=$(printf '%s\n' "$_dtcp_help" | sed -n 's/.*socket, if that is not in \(.*\)/\1/p')
    [ -n "$_dtcp_folder" ] || return 0
    find "$_dtcp_folder/" -type s 2>/dev/null |
        sed -n -e 's/.*\/dtcps\.sock$/dtcps0/p' -e 's/.*\/dtcp[a-z]*-\(.*\)\.sock$/\1/p'
}

# Files of dtcpclient.conf(5).
_dtcp_configurations()
{
    _dtcp_folder=$(printf '%s\n' "$_dtcp_help" | sed -n 's/.*NAME\.conf in \([^:]*\):.*/\1/p')
    [ -n "$_dtcp_folder" ] || return 0
    find "$_dtcp_folder/" -name '*.conf' 2>/dev/null | sed -e 's/.*\///' -e 's/\.conf$//' | _dtcp_plain
}

_dtcp_list()
{
    printf '%s\n' "$@"
}

# Puts what is there of the word, up to the last "=" or comma, before each line.
_dtcp_behind()
{
    sed "s|^|${_dtcp_current%"${_dtcp_current##*[=,]}"}|"
}

# Values of an option, by the option, else by the word for it in --help.
_dtcp_values()
{
    case $_dtcp_name:$1 in
    dtcpctl:--sort) _dtcp_list id user peer age in out dropped path ;;
    dtcpctl:--transport) _dtcp_list ipv6 udp ;;
    dtcpctl:--for) _dtcp_list 10m 1h 1d ;;
    dtcpclient:-t) _dtcp_list tunnelonly host network ;;
    dtcpclient:--transport) _dtcp_list ipv6 udp auto ;;
    dtcpclient:--fast) _dtcp_list auto on off ;;
    dtcpclient:--tunnel) _dtcp_list tun none ;;
    dtcpclient:--table) _dtcp_list auto main ;;
    dtcpclient:--route) _dtcp_list default none ;;
    dtcpclient:--lan-dns) _dtcp_list auto none ;;
    dtcpclient:--lan-firewall) _dtcp_list on off ;;
    dtcpclient:--lan) sed -n 's/^ *\([^ :]*\):.*/\1/p' /proc/net/dev | _dtcp_behind ;;
    dtcps:-o) "$_dtcp_program" -o help 2>/dev/null | sed -n 's/^\([a-z0-9.]*\):.*/\1=/p' ;;
    dtcps:--user | dtcpclient:--user) _dtcp_users ;;
    *)
        case $(_dtcp_takes "$1") in
        FILE | PATH* | SCRIPT) echo / ;;
        INSTANCE) _dtcp_instances ;;
        USER) [ "$_dtcp_name" = dtcpclient ] || _dtcp_users ;;
        esac
        ;;
    esac
}

# Words that are no options: a command and what it takes.
_dtcp_words()
{
    case $_dtcp_name:$_dtcp_given in
    dtcps:*) return 0 ;;
    dtcpclient:*)
        _dtcp_configurations
        sed -n 's/^[0-9][^[:blank:]]*[[:blank:]]*//p' /etc/hosts | tr -s '[:blank:]' '\n' | _dtcp_plain
        case $_dtcp_current in
        */*) echo / ;;
        esac
        return 0
        ;;
    *:) printf '%s\n' "$_dtcp_help" | sed -n 's/^  \([a-z][a-z]*\).*/\1/p' | sort -u ;;
    *)
        # "lease list" is a command of two words.
        _dtcp_line=$(printf '%s\n' "$_dtcp_help" | grep "^  $_dtcp_first $_dtcp_second\( \|$\)")
        if [ -n "$_dtcp_second" ] && [ -n "$_dtcp_line" ]; then
            _dtcp_taken=${_dtcp_line#"  $_dtcp_first $_dtcp_second"}
            _dtcp_given=${_dtcp_given#xx}
        else
            printf '%s\n' "$_dtcp_help" | sed -n "s/^  $_dtcp_first \([a-z][a-z]*\).*/\1/p"
            _dtcp_line=$(printf '%s\n' "$_dtcp_help" | grep "^  $_dtcp_first \[*[A-Z]")
            _dtcp_taken=${_dtcp_line#"  $_dtcp_first"}
            _dtcp_given=${_dtcp_given#x}
        fi
        _dtcp_argument "${_dtcp_taken%%  *}"
        ;;
    esac
}

# The next of the words that a command takes, " USER [LEASE]", after those that are given.
_dtcp_argument()
{
    _dtcp_rest=${1# }
    while [ -n "$_dtcp_given" ]; do
        case $_dtcp_rest in
        *' '*) _dtcp_rest=${_dtcp_rest#* } ;;
        *...) ;;
        *) return 0 ;;
        esac
        _dtcp_given=${_dtcp_given#x}
    done
    case ${_dtcp_rest%% *} in
    *USER*) _dtcp_users ;;
    *LEVEL*) _dtcp_list debug info ;;
    *FILE*) echo / ;;
    *LEASE*) _dtcp_ask lease list "$_dtcp_user" | sed -n '2,$s/^[^ ]*  *\([^ ]*\).*/\1/p' ;;
    *KEY=VALUE*)
        case $_dtcp_current in
        types=*) _dtcp_list tunnelonly host network | _dtcp_behind ;;
        transports=*) _dtcp_list ipv6 udp | _dtcp_behind ;;
        disabled=*) _dtcp_list yes no | _dtcp_behind ;;
        *)
            printf '%s\n' "$_dtcp_help" |
                sed -n "/^  $_dtcp_first USER/,/^  [a-z]* USER  /p" | sed '1d;$d' | tr -s '\n' ' ' |
                sed -e 's/^[^:]*: *//' -e 's/,/ /g' | tr -s '[:blank:]' '\n' | sed -n 's/..*/&=/p'
            ;;
        esac
        ;;
    esac
}
