# Draws one frame of the demo clip as SVG on standard output: two shaded faces that move.
#
#   awk -v t=SECONDS -v length_s=SECONDS -f face.awk
#
# Left: neutral, a broad smile with teeth from 30 % to 75 % of the clip, neutral again, one blink.
# Right: neutral, then surprise (brows up, eyes wide, jaw dropped) from 45 % to 85 %.
# Units: a head is drawn in its own coordinates, about 200 wide and 260 high around (0, 0), then
# moved and scaled into the 640x360 picture.

function clamp01(v) { return v < 0 ? 0 : v > 1 ? 1 : v }

# Smooth 0 -> 1 -> 0: rises during `ramp` from `from`, falls during `ramp` until `to`.
function bump(x, from, to, ramp,    up, down) {
  up = clamp01((x - from) / ramp)
  down = clamp01((to - x) / ramp)
  up = up < down ? up : down
  return up * up * (3 - 2 * up)
}

function ellipse(cx, cy, rx, ry, fill, more) {
  printf "<ellipse cx='%.2f' cy='%.2f' rx='%.2f' ry='%.2f' fill='%s' %s/>\n", cx, cy, rx, ry, fill, more
}

function gradient(id, cx, cy, r, from, middle, to) {
  printf "<radialGradient id='%s' cx='%s' cy='%s' r='%s'>", id, cx, cy, r
  printf "<stop offset='0' stop-color='%s'/><stop offset='0.62' stop-color='%s'/>", from, middle
  printf "<stop offset='1' stop-color='%s'/></radialGradient>\n", to
}

# One eye at (x, y): socket shadow, white, iris, pupil, glint, lids. `open` 1 is a resting eye.
function eye(x, y, open, smile, p,    ry, iris) {
  ellipse(x, y - 2, 30, 19, "url(#" p "socket)", "")
  ry = 8.5 * open
  printf "<clipPath id='%s%d'><ellipse cx='%.2f' cy='%.2f' rx='17.5' ry='%.2f'/></clipPath>\n", \
         p, x, x, y, ry
  printf "<g clip-path='url(#%s%d)'>", p, x
  ellipse(x, y, 18, 10 * open + 1, "#e9e4de", "")
  iris = 7.6
  ellipse(x, y - 0.5, iris, iris, eye_colour, "")
  ellipse(x, y - 0.5, 3.6, 3.6, "#0d0a09", "")
  ellipse(x + 2.6, y - 3.4, 1.5, 1.5, "#ffffff", "")
  printf "<rect x='%.2f' y='%.2f' width='40' height='5' fill='#000' opacity='0.28'/></g>\n", \
         x - 20, y - ry - 1
  # Upper lid: a dark lash line; lower lid: a faint one, pushed up by a smile.
  printf "<path d='M%.2f %.2f Q%.2f %.2f %.2f %.2f' fill='none' stroke='#1d1210' stroke-width='3.4' stroke-linecap='round'/>\n", \
         x - 18.5, y + 1, x, y - 2 * ry + 0.5, x + 18.5, y + 1
  printf "<path d='M%.2f %.2f Q%.2f %.2f %.2f %.2f' fill='none' stroke='%s' stroke-width='1.8' opacity='0.7'/>\n", \
         x - 17, y + 2, x, y + 2 * ry, x + 17, y + 2, shade
  printf "<path d='M%.2f %.2f Q%.2f %.2f %.2f %.2f' fill='none' stroke='%s' stroke-width='2.2' opacity='%.2f'/>\n", \
         x - 18, y + 13, x, y + 20 - 3 * smile, x + 19, y + 11, shade, 0.35 + 0.4 * smile
}

function brow(x, y, side, lift,    inner, outer) {
  inner = x - side * 21
  outer = x + side * 26
  printf "<path d='M%.2f %.2f Q%.2f %.2f %.2f %.2f Q%.2f %.2f %.2f %.2f Z' fill='%s' opacity='0.92'/>\n", \
         inner, y + 4 - lift * 0.9, x, y - 7 - lift * 1.25, outer, y + 3 - lift, \
         x, y - 0.5 - lift * 1.2, inner, y + 10 - lift * 0.9, hair
}

function nose(smile,    w) {
  w = 19 + 4 * smile
  printf "<path d='M-11 -22 Q-15 10 -%.1f 34 Q-8 44 0 43 Q-6 20 -4 -22 Z' fill='%s' opacity='0.33'/>\n", w, shade
  printf "<path d='M11 -22 Q13 12 %.1f 34 Q8 43 0 43 Q6 20 5 -22 Z' fill='%s' opacity='0.22'/>\n", w, shade
  ellipse(0, 6, 5, 30, "#fff", "opacity='0.17'")
  ellipse(0, 31, 8, 6, "#fff", "opacity='0.14'")
  printf "<path d='M%.1f 36 Q-10 47 0 44 Q10 47 %.1f 36' fill='none' stroke='%s' stroke-width='2.6' opacity='0.75'/>\n", \
         -w, w, shade
  ellipse(-8, 41.5, 4.6, 2.5, "#2a1410", "opacity='0.8'")
  ellipse(8, 41.5, 4.6, 2.5, "#2a1410", "opacity='0.8'")
}

# Mouth: `smile` 0..1 widens it, lifts its corners and shows teeth; `gape` 0..1 drops the jaw.
function mouth(smile, gape,    w, corner, top, bottom, inner_top, inner_bottom) {
  w = 33 + 17 * smile - 8 * gape
  corner = 72 - 12 * smile + 3 * gape
  inner_top = 72 - 1 * smile - 4 * gape
  inner_bottom = inner_top + 0.6 + 19 * smile + 33 * gape
  top = inner_top - 8 + 3 * smile - 1 * gape
  bottom = inner_bottom + 10 - 2 * smile
  # Lips as one shape (the quadratic control points lie twice as far out as the lip), then the gap.
  printf "<path d='M%.1f %.1f Q-14 %.1f -5 %.1f Q0 %.1f 5 %.1f Q14 %.1f %.1f %.1f Q0 %.1f %.1f %.1f Z' fill='%s'/>\n", \
         -w, corner, top - 2, top, top + 3, top, top - 2, w, corner, 2 * bottom - corner, -w, corner, lips
  printf "<clipPath id='%smouth'><path d='M%.1f %.1f Q0 %.1f %.1f %.1f Q0 %.1f %.1f %.1f Z'/></clipPath>\n", \
         prefix, -w + 3, corner, 2 * inner_top - corner + 1, w - 3, corner, \
         2 * inner_bottom - corner, -w + 3, corner
  printf "<g clip-path='url(#%smouth)'><rect x='-60' y='40' width='120' height='90' fill='#33100e'/>", prefix
  if (smile > 0.05) {
    printf "<path d='M-50 %.1f Q0 %.1f 50 %.1f L50 40 L-50 40 Z' fill='#f1ece2'/>", \
           corner + 4, 2 * (inner_top + 12) - corner + 2, corner + 4
    for (i = -4; i <= 4; i++)
      printf "<rect x='%.1f' y='50' width='0.8' height='40' fill='#b9aea0' opacity='0.6'/>", i * 9 - 0.4
  }
  ellipse(0, inner_bottom + 2, 20, 9 * (smile + gape), "#9a4a48", "")
  printf "</g>\n"
  printf "<path d='M%.1f %.1f Q0 %.1f %.1f %.1f' fill='none' stroke='#3a1512' stroke-width='2.2' opacity='0.85'/>\n", \
         -w, corner, 2 * inner_top - corner, w, corner
  ellipse(-w - 1, corner, 4, 3, shade, "opacity='0.6'")
  ellipse(w + 1, corner, 4, 3, shade, "opacity='0.6'")
  ellipse(0, bottom + 7, 22, 5, shade, "opacity='0.35'")
}

# The folds from nose to mouth corners and the raised cheeks of a smile.
function cheeks(smile,    k) {
  for (k = -1; k <= 1; k += 2) {
    printf "<path d='M%.1f 34 Q%.1f 48 %.1f %.1f' fill='none' stroke='%s' stroke-width='%.1f' stroke-linecap='round' opacity='%.2f'/>\n", \
           k * 24, k * (38 + 10 * smile), k * (44 + 14 * smile), 70 - 6 * smile, shade, \
           2 + 2 * smile, 0.2 + 0.55 * smile
    ellipse(k * 56, 34 - 6 * smile, 24, 17, blush, sprintf("filter='url(#haze)' opacity='%.2f'", 0.14 + 0.25 * smile))
    ellipse(k * 54, 24 - 6 * smile, 15, 9, "#fff", sprintf("filter='url(#haze)' opacity='%.2f'", 0.05 + 0.12 * smile))
  }
}

function head(p, x, y, scale, tilt, smile, surprise, blink,    jaw, open) {
  prefix = p
  jaw = 14 * surprise
  open = (1 - 0.28 * smile + 0.45 * surprise) * (1 - 0.93 * blink)
  printf "<defs>"
  gradient(p "skin", "0.46", "0.40", "0.62", light, skin, shade)
  gradient(p "socket", "0.5", "0.5", "0.5", shade, shade, skin)
  printf "</defs>\n"
  printf "<g transform='translate(%.2f %.2f) scale(%.3f) rotate(%.2f)'>\n", x, y, scale, tilt
  printf "<path d='M-190 260 Q-170 165 -52 150 L52 150 Q170 165 190 260 Z' fill='%s'/>\n", shirt
  printf "<path d='M-46 80 L-50 158 Q0 190 50 158 L46 80 Z' fill='%s'/>\n", shade
  ellipse(0, -28, 112, 124, hair, "")
  ellipse(-98, 8, 13, 27, shade, "")
  ellipse(98, 8, 13, 27, shade, "")
  printf "<path d='M-97 -20 Q-98 -118 0 -122 Q98 -118 97 -20 Q97 52 62 %.1f Q34 %.1f 0 %.1f Q-34 %.1f -62 %.1f Q-97 52 -97 -20 Z' fill='url(#%sskin)'/>\n", \
         94 + jaw * 0.7, 130 + jaw, 132 + jaw, 130 + jaw, 94 + jaw * 0.7, p
  printf "<path d='M-101 -22 Q-104 -140 0 -146 Q104 -140 101 -22 Q92 -76 60 -88 Q0 -104 -58 -86 Q-92 -74 -101 -22 Z' fill='%s'/>\n", hair
  ellipse(-10, -62, 44, 18, "#fff", "filter='url(#haze)' opacity='0.12'")
  printf "<g filter='url(#soft)'>\n"
  cheeks(smile)
  eye(-40, -16, open, smile, p)
  eye(40, -16, open, smile, p)
  brow(-40, -42, -1, 15 * surprise + 2 * smile)
  brow(40, -42, 1, 15 * surprise + 2 * smile)
  nose(smile)
  mouth(smile, surprise)
  printf "</g></g>\n"
}

BEGIN {
  u = t / length_s
  turn = 6.2831853 * t
  printf "<svg xmlns='http://www.w3.org/2000/svg' width='640' height='360' viewBox='0 0 640 360'>\n"
  printf "<defs><filter id='soft'><feGaussianBlur stdDeviation='0.8'/></filter>"
  printf "<filter id='haze' x='-0.5' y='-0.5' width='2' height='2'><feGaussianBlur stdDeviation='6'/></filter>"
  printf "<linearGradient id='wall' x1='0' y1='0' x2='1' y2='1'><stop offset='0' stop-color='#a9b4ba'/>"
  printf "<stop offset='1' stop-color='#7c8990'/></linearGradient></defs>\n"
  printf "<rect width='640' height='360' fill='url(#wall)'/>\n"

  light = "#f3cdb2"; skin = "#dca888"; shade = "#a06a50"; blush = "#d0705f"; lips = "#b5605a"
  hair = "#33231b"; shirt = "#3f556b"; eye_colour = "#4f6a7c"
  head("a", 188 + 5 * sin(turn / 3.1), 178 + 3 * sin(turn / 2.3), 0.98, 2.5 * sin(turn / 4.0), \
       bump(u, 0.30, 0.75, 0.07), 0, bump(u, 0.17, 0.20, 0.012))

  light = "#b98563"; skin = "#96633f"; shade = "#5a3522"; blush = "#8a4634"; lips = "#7d3f3a"
  hair = "#17110f"; shirt = "#7a3b3b"; eye_colour = "#3a2317"
  head("b", 458 + 4 * sin(turn / 3.7 + 1), 184 + 3 * sin(turn / 2.9 + 2), 0.92, \
       2.0 * sin(turn / 3.4 + 1), 0, bump(u, 0.45, 0.85, 0.05), bump(u, 0.33, 0.36, 0.012))
  print "</svg>"
}
