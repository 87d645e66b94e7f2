"""Errors of telemetry and its files, sorted by code."""

from __future__ import annotations

from x0tta_cli.core.catalogue.entry import Entry
from x0tta_cli.core.errors import ExitStatus

ENTRIES: tuple[Entry, ...] = (
    Entry(
        "telemetry.ambiguous_incident",
        ExitStatus.USAGE,
        "Several incidents end in this name",
        "An incident may be named by the end of its identifier, but only where no other shares it.",
        "Name more of the path, or all of it.",
        "x0tta drill run high_traffic/test/issue_3",
    ),
    Entry(
        "telemetry.bad_graph",
        ExitStatus.USAGE,
        "The file is not a call graph",
        "A call graph names its components in the first row and in the first column, or lists "
        "calls under the header 'caller,callee'.",
        "Compare the first rows of the file with the example.",
        ",front,cart\nfront,0,1\ncart,0,0",
    ),
    Entry(
        "telemetry.bad_header",
        ExitStatus.USAGE,
        "The file is not a recording",
        "The columns of metrics.csv are named by three header rows, separated by commas: "
        "microservice, metric, statistic. One is missing, is another one, or leaves a column "
        "without a name.",
        "Compare the first rows of the file with the example.",
        "microservice,front,front\nmetric,latency,requests\nstatistic,p95,Sum",
    ),
    Entry(
        "telemetry.bad_instant",
        ExitStatus.USAGE,
        "A sample's instant can't be read",
        "The first cell of a row is its instant: Unix seconds, or ISO 8601 (in UTC where no offset "
        "is given). Milliseconds are not taken for seconds.",
        "Correct the cell, or convert the column to seconds.",
        "2023-09-05T14:00:00Z,0.31,1398",
    ),
    Entry(
        "telemetry.bad_query",
        ExitStatus.USAGE,
        "Prometheus can't evaluate the query",
        "The expression is not PromQL, joins series that don't fit together, or needs more than "
        "the server allows to one query. The message has the server's own words.",
        "Correct the expression; try it in Prometheus' own page or with promtool.",
        "promtool query instant http://127.0.0.1:9090 'rate(requests_total[5m])'",
    ),
    Entry(
        "telemetry.bad_range",
        ExitStatus.USAGE,
        "The time to read can't be used",
        "A reading has one sample for each whole multiple of its step between start and end, of "
        "the past alone, and a million at most. A step is a whole number of milliseconds.",
        "Give a start before the end, both in the past, and a step that fits between them.",
        "the last 6 hours, every 30 s",
    ),
    Entry(
        "telemetry.bad_target",
        ExitStatus.USAGE,
        "The description of an incident can't be read",
        "target.json must be a JSON object; 'target' and 'root_cause' may be missing, but not be "
        "something else than they stand for.",
        "Correct the member that the message names.",
        '{"target": {"node": "front", "metric": "latency", "agg": "p95", "timestamp": 1681399159}, '
        '"root_cause": {"node": "cart"}}',
    ),
    Entry(
        "telemetry.corrupt_archive",
        ExitStatus.USAGE,
        "A compressed file is damaged",
        "The .xz file was cut off, changed, or is not an .xz file at all.",
        "Copy it again from where it came.",
        "xz --test metrics.csv.xz",
    ),
    Entry(
        "telemetry.different_step",
        ExitStatus.USAGE,
        "The incident has another sample step than the healthy recording",
        "What is usual in one step says little about another: counts add up over a longer step, "
        "averages and percentiles calm down.",
        "Resample one of the two recordings to the step of the other.",
        "a sample every 300 s in noissue/metrics.csv and in the incident's metrics.csv",
    ),
    Entry(
        "telemetry.duplicate_column",
        ExitStatus.USAGE,
        "A series is recorded twice",
        "Two columns have the same microservice, metric and statistic, or two spellings of them "
        "that differ in capitals and spaces alone.",
        "Remove one of the two columns, or rename it.",
        "microservice,front,cart\nmetric,latency,latency\nstatistic,p95,p95",
    ),
    Entry(
        "telemetry.duplicate_feature",
        ExitStatus.USAGE,
        "A feature is named twice",
        "Two features of one set of measurements have the same name.",
        "Rename or remove one of the two.",
        "latency_p95, latency_p99",
    ),
    Entry(
        "telemetry.duplicate_instant",
        ExitStatus.USAGE,
        "Two samples have one instant",
        "A recording has one row per instant; which of two to believe can't be known.",
        "Remove one of the rows, or merge them.",
        "1693922400,0.31,1398\n1693922700,0.30,1402",
    ),
    Entry(
        "telemetry.duplicate_node",
        ExitStatus.USAGE,
        "A component is named twice",
        "Components are told apart by their names, so the graph may name each once.",
        "Rename or remove one of the two.",
        ",front,cart\nfront,0,1\ncart,0,0",
    ),
    Entry(
        "telemetry.empty_file",
        ExitStatus.USAGE,
        "The file is empty",
        "Not even a header is there: writing the file may have failed.",
        "Write the file again. A recording without samples still has its header rows.",
        "microservice,front\nmetric,latency\nstatistic,p95",
    ),
    Entry(
        "telemetry.empty_recording",
        ExitStatus.NOT_YET_KNOWN,
        "The recording has no samples",
        "The header rows are there, but no sample follows.",
        "Record for a while, then try again.",
        "1693922400,0.31,1398",
    ),
    Entry(
        "telemetry.irregular_step",
        ExitStatus.USAGE,
        "The samples are not one step apart",
        "The usual distance of two samples is the recording's step, and every other distance must "
        "be a whole number of steps, within a tenth of one. Missing samples are fine.",
        "Resample the recording to one step.",
        "1693922400 · 1693922700 · 1693923300",
    ),
    Entry(
        "telemetry.native_histogram",
        ExitStatus.USAGE,
        "The query gives native histograms, not numbers",
        "A feature is one number per instant. A native histogram is a whole distribution, and "
        "which number stands for it has to be said.",
        "Ask for a quantile, a count or a mean of it.",
        "histogram_quantile(0.95, sum by (node) (rate(latency_seconds[5m])))",
    ),
    Entry(
        "telemetry.negative_edge",
        ExitStatus.USAGE,
        "A call has a negative number",
        "A number above 0 in the call graph stands for a call, and 0 for none; less than that "
        "means nothing.",
        "Write 1 for a call and 0 for none.",
        "front,0,1",
    ),
    Entry(
        "telemetry.no_common_feature",
        ExitStatus.USAGE,
        "The incident and the healthy recording measure different things",
        "An incident is held against its healthy recording, metric by metric and statistic by "
        "statistic; these two have none in common.",
        "Record both with the same metrics and statistics.",
        "metric,latency,requests\nstatistic,p95,Sum",
    ),
    Entry(
        "telemetry.no_graph",
        ExitStatus.NOT_FOUND,
        "The recording has no call graph",
        "A recording is a folder with graph.csv, which says who calls whom; it may be compressed "
        "as graph.csv.xz.",
        "Add the file: one row and one column per component, 1 where the row calls the column.",
        ",front,cart\nfront,0,1\ncart,0,0",
    ),
    Entry(
        "telemetry.no_healthy_recording",
        ExitStatus.NOT_FOUND,
        "The recording has no healthy time",
        "What is unusual can't be told without noissue/metrics.csv, a recording of a time without "
        "trouble; it may be compressed as metrics.csv.xz.",
        "Record such a time and put it there.",
        "shop/noissue/metrics.csv",
    ),
    Entry(
        "telemetry.no_metrics",
        ExitStatus.NOT_FOUND,
        "The incident has no measurements",
        "The incident's folder has a target.json, but neither metrics.csv nor metrics.csv.xz.",
        "Add the recording of the incident.",
        "shop/outage/metrics.csv",
    ),
    Entry(
        "telemetry.no_recording",
        ExitStatus.NOT_FOUND,
        "No recording is in this folder",
        "A recording is a folder with graph.csv, noissue/metrics.csv and folders of incidents. The "
        "folder named is neither one nor right above one.",
        "Name a folder that is a recording, or the one above several.",
        "x0tta drill list --data ./recordings",
    ),
    Entry(
        "telemetry.no_series",
        ExitStatus.NOT_YET_KNOWN,
        "Prometheus has no series for any query",
        "No target was scraped in this time, metrics or labels have other names, or the step is "
        "shorter than the time between two scrapes, so that no sample is young enough.",
        "See whether the targets are up; ask for another time or a longer step.",
        "promtool query instant http://127.0.0.1:9090 up",
    ),
    Entry(
        "telemetry.no_such_feature",
        ExitStatus.NOT_FOUND,
        "There is no such feature",
        "Features are named by metric and statistic in lower case.",
        "Name one of those that the message lists.",
        "latency_p95",
    ),
    Entry(
        "telemetry.no_such_label",
        ExitStatus.USAGE,
        "A series does not say which component it is of",
        "The label that names the component is missing or empty. Aggregations such as sum keep "
        "only the labels that they are told to keep.",
        "Keep the label in the query, or name the label that does tell.",
        "sum by (instance) (rate(requests_total[5m]))",
    ),
    Entry(
        "telemetry.no_such_node",
        ExitStatus.NOT_FOUND,
        "There is no such component",
        "Neither the call graph nor a column of measurements has this name.",
        "Check the name: capitals count.",
        "PetSite",
    ),
    Entry(
        "telemetry.no_values",
        ExitStatus.NOT_YET_KNOWN,
        "The recording holds no value",
        "It has samples, but every cell of them is empty. Empty is not zero: nothing is known.",
        "Check that the recorder reached its source, then record again.",
        "1693922400,0.31,1398",
    ),
    Entry(
        "telemetry.not_a_file",
        ExitStatus.USAGE,
        "A pipe or a device stands in place of a file",
        "Reading from a pipe, socket or device may never end.",
        "Copy what it gives into a file first.",
        "cat pipe > metrics.csv",
    ),
    Entry(
        "telemetry.not_a_number",
        ExitStatus.USAGE,
        "A cell holds something else than a number",
        "A cell of measurements is a number with a decimal point, or empty where nothing was "
        "measured; a cell of the call graph is always a number.",
        "Correct the cell that the message names.",
        "1693922400,0.31,,1398",
    ),
    Entry(
        "telemetry.not_csv",
        ExitStatus.USAGE,
        "The file is not comma-separated values",
        "A quote is not closed or stands inside a cell, or one cell is longer than 128 KiB.",
        "Write the file again; double quotes surround a cell that holds a comma (RFC 4180).",
        'microservice,"cart, second"',
    ),
    Entry(
        "telemetry.not_finite",
        ExitStatus.USAGE,
        "A value is infinite",
        "No measurement is infinite: a division by zero on the way here is more likely.",
        "Leave the cell empty where nothing was measured.",
        "1693922400,0.31,,1398",
    ),
    Entry(
        "telemetry.not_text",
        ExitStatus.USAGE,
        "The file is not text in UTF-8",
        "It is binary, compressed under a plain name, or in another encoding such as UTF-16.",
        "Save it as CSV in UTF-8; a compressed one is called .csv.xz.",
        "iconv --from-code UTF-16 --to-code UTF-8 old.csv > metrics.csv",
    ),
    Entry(
        "telemetry.prometheus_denied",
        ExitStatus.NOT_PERMITTED,
        "Prometheus does not let x0tta read",
        "The server, or a proxy before it, answered with status 401 or 403.",
        "Give the token or the password of someone who may query.",
        "curl --header 'Authorization: Bearer …' 'https://metrics.example.org/api/v1/query?query=up'",
    ),
    Entry(
        "telemetry.prometheus_failed",
        ExitStatus.UNAVAILABLE,
        "Prometheus could not answer",
        "The server is starting or overloaded, or the query took longer than it allows. The "
        "message has its own words.",
        "Try again later, or ask for a shorter time.",
        "curl http://127.0.0.1:9090/-/ready",
    ),
    Entry(
        "telemetry.ragged_row",
        ExitStatus.USAGE,
        "A row has more or fewer cells than the header",
        "The file may be cut off, or a cell with a comma stand without quotes.",
        "Give every row one cell per column; missing values are empty cells.",
        "1693922400,0.31,,1398",
    ),
    Entry(
        "telemetry.raw_counter",
        ExitStatus.USAGE,
        "A counter is read as it is",
        "A counter only grows, and starts at 0 with its process: its height says how old the "
        "process is. Increase and rate are made by Prometheus, which sees every sample and so "
        "every reset; x0tta sees one value per step.",
        "Ask for its increase or rate. In parentheses it is read as it is.",
        "increase(requests_total[1m])",
    ),
    Entry(
        "telemetry.several_series",
        ExitStatus.USAGE,
        "A component has more than one series",
        "A feature is one number per component and instant, and the query gives two series whose "
        "labels name the same component. Which to believe, or how to join them, x0tta can't know.",
        "Join them in the query, or choose one by a matcher.",
        "max by (instance) (temperature_celsius)",
    ),
    Entry(
        "telemetry.symptom_outside",
        ExitStatus.USAGE,
        "The trouble was seen outside the recording",
        "'target.timestamp' of target.json must lie within the samples of metrics.csv beside it, "
        "or one step before or after them.",
        "Correct the timestamp, or record the time around it.",
        '"timestamp": 1681399159',
    ),
    Entry(
        "telemetry.too_few_samples",
        ExitStatus.NOT_YET_KNOWN,
        "The healthy recording is too short",
        "One sample does not tell what is usual.",
        "Record healthy time for longer, then try again.",
        "a day of samples in noissue/metrics.csv",
    ),
    Entry(
        "telemetry.too_large",
        ExitStatus.USAGE,
        "The file is too large",
        "Reading is bounded to 512 MiB of text and 16 MiB in a line, so that a wrong or hostile "
        "file can't fill the memory.",
        "Record fewer series, a longer step or a shorter time.",
        "a day of 300 series at 5 s is about 80 MiB",
    ),
    Entry(
        "telemetry.too_many_values",
        ExitStatus.USAGE,
        "The reading is too large",
        "Components, features and instants multiply; 33,554,432 values are held at most, so that "
        "a wide query can't fill the memory.",
        "Sum the series up by node, or ask for a shorter time or a longer step.",
        "sum by (node) (rate(requests_total[5m]))",
    ),
    Entry(
        "telemetry.unknown_incident",
        ExitStatus.NOT_FOUND,
        "There is no such incident",
        "An incident is named by its path below the folder of recordings, or by the end of it.",
        "List the incidents and name one of them.",
        "x0tta drill list",
    ),
    Entry(
        "telemetry.unknown_node",
        ExitStatus.USAGE,
        "An edge leads to an unknown component",
        "A component of the call graph needs a row and a column; in a list of calls, a column of "
        "measurements in one of the recordings.",
        "Add the component, or correct its name.",
        ",front,cart\nfront,0,1\ncart,0,0",
    ),
    Entry(
        "telemetry.unknown_recording",
        ExitStatus.NOT_FOUND,
        "There is no such recording",
        "The folder of recordings has no sub-folder of this name that is one.",
        "Name one of those that the message lists.",
        "high_traffic",
    ),
    Entry(
        "telemetry.unknown_symptom",
        ExitStatus.USAGE,
        "The trouble was seen at an unknown component",
        "'target.node' of target.json is named neither by the call graph nor by a column.",
        "Correct the name: capitals count.",
        '"target": {"node": "PetSite"}',
    ),
    Entry(
        "telemetry.unreadable_answer",
        ExitStatus.UNAVAILABLE,
        "What answered is not Prometheus",
        "The answer is not one of Prometheus' HTTP API: the URL may lack a prefix, or a proxy or a "
        "log-in page may stand there.",
        "Give the URL that stands before /api/v1.",
        "https://metrics.example.org/prometheus",
    ),
    Entry(
        "telemetry.unsorted_instants",
        ExitStatus.USAGE,
        "The samples are not in the order of time",
        "Each row of a recording is later than the one before it.",
        "Sort the rows by their first column.",
        "1693922400,0.31,1398\n1693922700,0.30,1402",
    ),
    Entry(
        "telemetry.wrong_unit",
        ExitStatus.USAGE,
        "A value is not possible in its unit",
        "Latency is read in seconds and availability in percent, unless the metric's name ends in "
        "a unit; neither can be negative, and a share has an upper bound. It may also be that the "
        "incident and the healthy recording differ by a power of ten on nearly every component.",
        "Name the unit at the end of the metric, or convert the values.",
        "metric,latency_ms,availability_ratio",
    ),
)
