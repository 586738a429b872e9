"""Where the next facilities go: tables in, a `SitePlan` out.

`question` is what is asked for, `candidates` what may be built on, `ground` who reaches what along the streets,
`demand` the arrays that `gridmap.siting.solve` works on, `answer` what it says of them; `site_plan` tells it in tables,
`curve` and `robustness` ask further.
"""
