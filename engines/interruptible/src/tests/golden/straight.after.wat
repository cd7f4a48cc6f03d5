(module $m
  (type (;0;) (func (param i32)))
  (type (;1;) (func))
  (memory (;0;) 1)
  (func $f (;0;) (type 0) (param $x i32)
    i32.const 0
    i32.load
    drop
    local.get $x
    i32.const 0
    i32.add
    local.set $x
    local.get $x
    i32.const 1
    i32.add
    local.set $x
    local.get $x
    i32.const 2
    i32.add
    local.set $x
    local.get $x
    i32.const 3
    i32.add
    local.set $x
    local.get $x
    i32.const 4
    i32.add
    local.set $x
    local.get $x
    i32.const 5
    i32.add
    local.set $x
    local.get $x
    i32.const 6
    i32.add
    local.set $x
    local.get $x
    i32.const 7
    i32.add
    local.set $x
    local.get $x
    i32.const 8
    i32.add
    local.set $x
    local.get $x
    i32.const 9
    i32.add
    local.set $x
    local.get $x
    i32.const 10
    i32.add
    local.set $x
    local.get $x
    i32.const 11
    i32.add
    local.set $x
    local.get $x
    i32.const 12
    i32.add
    local.set $x
    local.get $x
    i32.const 13
    i32.add
    local.set $x
    local.get $x
    i32.const 14
    i32.add
    local.set $x
    local.get $x
    i32.const 15
    i32.add
    local.set $x
    local.get $x
    i32.const 16
    i32.add
    local.set $x
    local.get $x
    i32.const 17
    i32.add
    local.set $x
    local.get $x
    i32.const 18
    i32.add
    local.set $x
    local.get $x
    i32.const 19
    i32.add
    local.set $x
    local.get $x
    i32.const 20
    i32.add
    local.set $x
    local.get $x
    i32.const 21
    i32.add
    local.set $x
    local.get $x
    i32.const 22
    i32.add
    local.set $x
    local.get $x
    i32.const 23
    i32.add
    local.set $x
    local.get $x
    i32.const 24
    i32.add
    local.set $x
    local.get $x
    i32.const 25
    i32.add
    local.set $x
    local.get $x
    i32.const 26
    i32.add
    local.set $x
    local.get $x
    i32.const 27
    i32.add
    local.set $x
    local.get $x
    i32.const 28
    i32.add
    local.set $x
    local.get $x
    i32.const 29
    i32.add
    local.set $x
    local.get $x
    i32.const 30
    i32.add
    local.set $x
    local.get $x
    i32.const 31
    i32.add
    local.set $x
    local.get $x
    i32.const 32
    i32.add
    local.set $x
    local.get $x
    i32.const 33
    i32.add
    local.set $x
    local.get $x
    i32.const 34
    i32.add
    local.set $x
    local.get $x
    i32.const 35
    i32.add
    local.set $x
    local.get $x
    i32.const 36
    i32.add
    local.set $x
    local.get $x
    i32.const 37
    i32.add
    local.set $x
    local.get $x
    i32.const 38
    i32.add
    local.set $x
    local.get $x
    i32.const 39
    i32.add
    local.set $x
    local.get $x
    i32.const 40
    i32.add
    local.set $x
    local.get $x
    i32.const 41
    i32.add
    local.set $x
    local.get $x
    i32.const 42
    i32.add
    local.set $x
    local.get $x
    i32.const 43
    i32.add
    local.set $x
    local.get $x
    i32.const 44
    i32.add
    local.set $x
    local.get $x
    i32.const 45
    i32.add
    local.set $x
    local.get $x
    i32.const 46
    i32.add
    local.set $x
    local.get $x
    i32.const 47
    i32.add
    local.set $x
    local.get $x
    i32.const 48
    i32.add
    local.set $x
    local.get $x
    i32.const 49
    i32.add
    local.set $x
    local.get $x
    i32.const 50
    i32.add
    local.set $x
    local.get $x
    i32.const 51
    i32.add
    local.set $x
    local.get $x
    i32.const 52
    i32.add
    local.set $x
    local.get $x
    i32.const 53
    i32.add
    local.set $x
    local.get $x
    i32.const 54
    i32.add
    local.set $x
    local.get $x
    i32.const 55
    i32.add
    local.set $x
    local.get $x
    i32.const 56
    i32.add
    local.set $x
    local.get $x
    i32.const 57
    i32.add
    local.set $x
    local.get $x
    i32.const 58
    i32.add
    local.set $x
    local.get $x
    i32.const 59
    i32.add
    local.set $x
    local.get $x
    i32.const 60
    i32.add
    local.set $x
    local.get $x
    i32.const 61
    i32.add
    local.set $x
    local.get $x
    i32.const 62
    i32.add
    local.set $x
    local.get $x
    i32.const 63
    i32.add
    local.set $x
    local.get $x
    i32.const 64
    i32.add
    local.set $x
    local.get $x
    i32.const 65
    i32.add
    local.set $x
    local.get $x
    i32.const 66
    i32.add
    local.set $x
    local.get $x
    i32.const 67
    i32.add
    local.set $x
    local.get $x
    i32.const 68
    i32.add
    local.set $x
    local.get $x
    i32.const 69
    i32.add
    local.set $x
    local.get $x
    i32.const 70
    i32.add
    local.set $x
    local.get $x
    i32.const 71
    i32.add
    local.set $x
    local.get $x
    i32.const 72
    i32.add
    local.set $x
    local.get $x
    i32.const 73
    i32.add
    local.set $x
    local.get $x
    i32.const 74
    i32.add
    local.set $x
    local.get $x
    i32.const 75
    i32.add
    local.set $x
    local.get $x
    i32.const 76
    i32.add
    local.set $x
    local.get $x
    i32.const 77
    i32.add
    local.set $x
    local.get $x
    i32.const 78
    i32.add
    local.set $x
    local.get $x
    i32.const 79
    i32.add
    local.set $x
    local.get $x
    i32.const 80
    i32.add
    local.set $x
    local.get $x
    i32.const 81
    i32.add
    local.set $x
    local.get $x
    i32.const 82
    i32.add
    local.set $x
    local.get $x
    i32.const 83
    i32.add
    local.set $x
    local.get $x
    i32.const 84
    i32.add
    local.set $x
    local.get $x
    i32.const 85
    i32.add
    local.set $x
    local.get $x
    i32.const 86
    i32.add
    local.set $x
    local.get $x
    i32.const 87
    i32.add
    local.set $x
    local.get $x
    i32.const 88
    i32.add
    local.set $x
    local.get $x
    i32.const 89
    i32.add
    local.set $x
    local.get $x
    i32.const 90
    i32.add
    local.set $x
    local.get $x
    i32.const 91
    i32.add
    local.set $x
    local.get $x
    i32.const 92
    i32.add
    local.set $x
    local.get $x
    i32.const 93
    i32.add
    local.set $x
    local.get $x
    i32.const 94
    i32.add
    local.set $x
    local.get $x
    i32.const 95
    i32.add
    local.set $x
    local.get $x
    i32.const 96
    i32.add
    local.set $x
    local.get $x
    i32.const 97
    i32.add
    local.set $x
    local.get $x
    i32.const 98
    i32.add
    local.set $x
    local.get $x
    i32.const 99
    i32.add
    local.set $x
    local.get $x
    i32.const 100
    i32.add
    local.set $x
    local.get $x
    i32.const 101
    i32.add
    local.set $x
    local.get $x
    i32.const 102
    i32.add
    local.set $x
    local.get $x
    i32.const 103
    i32.add
    local.set $x
    local.get $x
    i32.const 104
    i32.add
    local.set $x
    local.get $x
    i32.const 105
    i32.add
    local.set $x
    local.get $x
    i32.const 106
    i32.add
    local.set $x
    local.get $x
    i32.const 107
    i32.add
    local.set $x
    local.get $x
    i32.const 108
    i32.add
    local.set $x
    local.get $x
    i32.const 109
    i32.add
    local.set $x
    local.get $x
    i32.const 110
    i32.add
    local.set $x
    local.get $x
    i32.const 111
    i32.add
    local.set $x
    local.get $x
    i32.const 112
    i32.add
    local.set $x
    local.get $x
    i32.const 113
    i32.add
    local.set $x
    local.get $x
    i32.const 114
    i32.add
    local.set $x
    local.get $x
    i32.const 115
    i32.add
    local.set $x
    local.get $x
    i32.const 116
    i32.add
    local.set $x
    local.get $x
    i32.const 117
    i32.add
    local.set $x
    local.get $x
    i32.const 118
    i32.add
    local.set $x
    local.get $x
    i32.const 119
    i32.add
    local.set $x
    local.get $x
    i32.const 120
    i32.add
    local.set $x
    local.get $x
    i32.const 121
    i32.add
    local.set $x
    local.get $x
    i32.const 122
    i32.add
    local.set $x
    local.get $x
    i32.const 123
    i32.add
    local.set $x
    local.get $x
    i32.const 124
    i32.add
    local.set $x
    local.get $x
    i32.const 125
    i32.add
    local.set $x
    local.get $x
    i32.const 126
    i32.add
    local.set $x
    local.get $x
    i32.const 127
    i32.add
    local.set $x
    local.get $x
    i32.const 128
    i32.add
    local.set $x
    local.get $x
    i32.const 129
    i32.add
    local.set $x
    local.get $x
    i32.const 130
    i32.add
    local.set $x
    local.get $x
    i32.const 131
    i32.add
    local.set $x
    local.get $x
    i32.const 132
    i32.add
    local.set $x
    local.get $x
    i32.const 133
    i32.add
    local.set $x
    local.get $x
    i32.const 134
    i32.add
    local.set $x
    local.get $x
    i32.const 135
    i32.add
    local.set $x
    local.get $x
    i32.const 136
    i32.add
    local.set $x
    local.get $x
    i32.const 137
    i32.add
    local.set $x
    local.get $x
    i32.const 138
    i32.add
    local.set $x
    local.get $x
    i32.const 139
    i32.add
    local.set $x
    local.get $x
    i32.const 140
    i32.add
    local.set $x
    local.get $x
    i32.const 141
    i32.add
    local.set $x
    local.get $x
    i32.const 142
    i32.add
    local.set $x
    local.get $x
    i32.const 143
    i32.add
    local.set $x
    local.get $x
    i32.const 144
    i32.add
    local.set $x
    local.get $x
    i32.const 145
    i32.add
    local.set $x
    local.get $x
    i32.const 146
    i32.add
    local.set $x
    local.get $x
    i32.const 147
    i32.add
    local.set $x
    local.get $x
    i32.const 148
    i32.add
    local.set $x
    local.get $x
    i32.const 149
    i32.add
    local.set $x
    local.get $x
    i32.const 150
    i32.add
    local.set $x
    local.get $x
    i32.const 151
    i32.add
    local.set $x
    local.get $x
    i32.const 152
    i32.add
    local.set $x
    local.get $x
    i32.const 153
    i32.add
    local.set $x
    local.get $x
    i32.const 154
    i32.add
    local.set $x
    local.get $x
    i32.const 155
    i32.add
    local.set $x
    local.get $x
    i32.const 156
    i32.add
    local.set $x
    local.get $x
    i32.const 157
    i32.add
    local.set $x
    local.get $x
    i32.const 158
    i32.add
    local.set $x
    local.get $x
    i32.const 159
    i32.add
    local.set $x
    local.get $x
    i32.const 160
    i32.add
    local.set $x
    local.get $x
    i32.const 161
    i32.add
    local.set $x
    local.get $x
    i32.const 162
    i32.add
    local.set $x
    local.get $x
    i32.const 163
    i32.add
    local.set $x
    local.get $x
    i32.const 164
    i32.add
    local.set $x
    local.get $x
    i32.const 165
    i32.add
    local.set $x
    local.get $x
    i32.const 166
    i32.add
    local.set $x
    local.get $x
    i32.const 167
    i32.add
    local.set $x
    local.get $x
    i32.const 168
    i32.add
    local.set $x
    local.get $x
    i32.const 169
    i32.add
    local.set $x
    local.get $x
    i32.const 170
    i32.add
    local.set $x
    local.get $x
    i32.const 171
    i32.add
    local.set $x
    local.get $x
    i32.const 172
    i32.add
    local.set $x
    local.get $x
    i32.const 173
    i32.add
    local.set $x
    local.get $x
    i32.const 174
    i32.add
    local.set $x
    local.get $x
    i32.const 175
    i32.add
    local.set $x
    local.get $x
    i32.const 176
    i32.add
    local.set $x
    local.get $x
    i32.const 177
    i32.add
    local.set $x
    local.get $x
    i32.const 178
    i32.add
    local.set $x
    local.get $x
    i32.const 179
    i32.add
    local.set $x
    local.get $x
    i32.const 180
    i32.add
    local.set $x
    local.get $x
    i32.const 181
    i32.add
    local.set $x
    local.get $x
    i32.const 182
    i32.add
    local.set $x
    local.get $x
    i32.const 183
    i32.add
    local.set $x
    local.get $x
    i32.const 184
    i32.add
    local.set $x
    local.get $x
    i32.const 185
    i32.add
    local.set $x
    local.get $x
    i32.const 186
    i32.add
    local.set $x
    local.get $x
    i32.const 187
    i32.add
    local.set $x
    local.get $x
    i32.const 188
    i32.add
    local.set $x
    local.get $x
    i32.const 189
    i32.add
    local.set $x
    local.get $x
    i32.const 190
    i32.add
    local.set $x
    local.get $x
    i32.const 191
    i32.add
    local.set $x
    local.get $x
    i32.const 192
    i32.add
    local.set $x
    local.get $x
    i32.const 193
    i32.add
    local.set $x
    local.get $x
    i32.const 194
    i32.add
    local.set $x
    local.get $x
    i32.const 195
    i32.add
    local.set $x
    local.get $x
    i32.const 196
    i32.add
    local.set $x
    local.get $x
    i32.const 197
    i32.add
    local.set $x
    local.get $x
    i32.const 198
    i32.add
    local.set $x
    local.get $x
    i32.const 199
    i32.add
    local.set $x
    local.get $x
    i32.const 200
    i32.add
    local.set $x
    local.get $x
    i32.const 201
    i32.add
    local.set $x
    local.get $x
    i32.const 202
    i32.add
    local.set $x
    local.get $x
    i32.const 203
    i32.add
    local.set $x
    local.get $x
    i32.const 204
    i32.add
    local.set $x
    local.get $x
    i32.const 205
    i32.add
    local.set $x
    local.get $x
    i32.const 206
    i32.add
    local.set $x
    local.get $x
    i32.const 207
    i32.add
    local.set $x
    local.get $x
    i32.const 208
    i32.add
    local.set $x
    local.get $x
    i32.const 209
    i32.add
    local.set $x
    local.get $x
    i32.const 210
    i32.add
    local.set $x
    local.get $x
    i32.const 211
    i32.add
    local.set $x
    local.get $x
    i32.const 212
    i32.add
    local.set $x
    local.get $x
    i32.const 213
    i32.add
    local.set $x
    local.get $x
    i32.const 214
    i32.add
    local.set $x
    local.get $x
    i32.const 215
    i32.add
    local.set $x
    local.get $x
    i32.const 216
    i32.add
    local.set $x
    local.get $x
    i32.const 217
    i32.add
    local.set $x
    local.get $x
    i32.const 218
    i32.add
    local.set $x
    local.get $x
    i32.const 219
    i32.add
    local.set $x
    local.get $x
    i32.const 220
    i32.add
    local.set $x
    local.get $x
    i32.const 221
    i32.add
    local.set $x
    local.get $x
    i32.const 222
    i32.add
    local.set $x
    local.get $x
    i32.const 223
    i32.add
    local.set $x
    local.get $x
    i32.const 224
    i32.add
    local.set $x
    local.get $x
    i32.const 225
    i32.add
    local.set $x
    local.get $x
    i32.const 226
    i32.add
    local.set $x
    local.get $x
    i32.const 227
    i32.add
    local.set $x
    local.get $x
    i32.const 228
    i32.add
    local.set $x
    local.get $x
    i32.const 229
    i32.add
    local.set $x
    local.get $x
    i32.const 230
    i32.add
    local.set $x
    local.get $x
    i32.const 231
    i32.add
    local.set $x
    local.get $x
    i32.const 232
    i32.add
    local.set $x
    local.get $x
    i32.const 233
    i32.add
    local.set $x
    local.get $x
    i32.const 234
    i32.add
    local.set $x
    local.get $x
    i32.const 235
    i32.add
    local.set $x
    local.get $x
    i32.const 236
    i32.add
    local.set $x
    local.get $x
    i32.const 237
    i32.add
    local.set $x
    local.get $x
    i32.const 238
    i32.add
    local.set $x
    local.get $x
    i32.const 239
    i32.add
    local.set $x
    local.get $x
    i32.const 240
    i32.add
    local.set $x
    local.get $x
    i32.const 241
    i32.add
    local.set $x
    local.get $x
    i32.const 242
    i32.add
    local.set $x
    local.get $x
    i32.const 243
    i32.add
    local.set $x
    local.get $x
    i32.const 244
    i32.add
    local.set $x
    local.get $x
    i32.const 245
    i32.add
    local.set $x
    local.get $x
    i32.const 246
    i32.add
    local.set $x
    local.get $x
    i32.const 247
    i32.add
    local.set $x
    local.get $x
    i32.const 248
    i32.add
    local.set $x
    local.get $x
    i32.const 249
    i32.add
    local.set $x
    local.get $x
    i32.const 250
    i32.add
    local.set $x
    local.get $x
    i32.const 251
    i32.add
    local.set $x
    local.get $x
    i32.const 252
    i32.add
    local.set $x
    local.get $x
    i32.const 253
    i32.add
    local.set $x
    local.get $x
    i32.const 254
    i32.add
    local.set $x
    local.get $x
    i32.const 255
    i32.add
    local.set $x
    local.get $x
    i32.const 256
    i32.add
    local.set $x
    local.get $x
    i32.const 257
    i32.add
    local.set $x
    local.get $x
    i32.const 258
    i32.add
    local.set $x
    local.get $x
    i32.const 259
    i32.add
    local.set $x
    local.get $x
    i32.const 260
    i32.add
    local.set $x
    local.get $x
    i32.const 261
    i32.add
    local.set $x
    local.get $x
    i32.const 262
    i32.add
    local.set $x
    local.get $x
    i32.const 263
    i32.add
    local.set $x
    local.get $x
    i32.const 264
    i32.add
    local.set $x
    local.get $x
    i32.const 265
    i32.add
    local.set $x
    local.get $x
    i32.const 266
    i32.add
    local.set $x
    local.get $x
    i32.const 267
    i32.add
    local.set $x
    local.get $x
    i32.const 268
    i32.add
    local.set $x
    local.get $x
    i32.const 269
    i32.add
    local.set $x
    local.get $x
    i32.const 270
    i32.add
    local.set $x
    local.get $x
    i32.const 271
    i32.add
    local.set $x
    local.get $x
    i32.const 272
    i32.add
    local.set $x
    local.get $x
    i32.const 273
    i32.add
    local.set $x
    local.get $x
    i32.const 274
    i32.add
    local.set $x
    local.get $x
    i32.const 275
    i32.add
    local.set $x
    local.get $x
    i32.const 276
    i32.add
    local.set $x
    local.get $x
    i32.const 277
    i32.add
    local.set $x
    local.get $x
    i32.const 278
    i32.add
    local.set $x
    local.get $x
    i32.const 279
    i32.add
    local.set $x
    local.get $x
    i32.const 280
    i32.add
    local.set $x
    local.get $x
    i32.const 281
    i32.add
    local.set $x
    local.get $x
    i32.const 282
    i32.add
    local.set $x
    local.get $x
    i32.const 283
    i32.add
    local.set $x
    local.get $x
    i32.const 284
    i32.add
    local.set $x
    local.get $x
    i32.const 285
    i32.add
    local.set $x
    local.get $x
    i32.const 286
    i32.add
    local.set $x
    local.get $x
    i32.const 287
    i32.add
    local.set $x
    local.get $x
    i32.const 288
    i32.add
    local.set $x
    local.get $x
    i32.const 289
    i32.add
    local.set $x
    local.get $x
    i32.const 290
    i32.add
    local.set $x
    local.get $x
    i32.const 291
    i32.add
    local.set $x
    local.get $x
    i32.const 292
    i32.add
    local.set $x
    local.get $x
    i32.const 293
    i32.add
    local.set $x
    local.get $x
    i32.const 294
    i32.add
    local.set $x
    local.get $x
    i32.const 295
    i32.add
    local.set $x
    local.get $x
    i32.const 296
    i32.add
    local.set $x
    local.get $x
    i32.const 297
    i32.add
    local.set $x
    local.get $x
    i32.const 298
    i32.add
    local.set $x
    local.get $x
    i32.const 299
    i32.add
    local.set $x
    local.get $x
    i32.const 300
    i32.add
    local.set $x
    local.get $x
    i32.const 301
    i32.add
    local.set $x
    local.get $x
    i32.const 302
    i32.add
    local.set $x
    local.get $x
    i32.const 303
    i32.add
    local.set $x
    local.get $x
    i32.const 304
    i32.add
    local.set $x
    local.get $x
    i32.const 305
    i32.add
    local.set $x
    local.get $x
    i32.const 306
    i32.add
    local.set $x
    local.get $x
    i32.const 307
    i32.add
    local.set $x
    local.get $x
    i32.const 308
    i32.add
    local.set $x
    local.get $x
    i32.const 309
    i32.add
    local.set $x
    local.get $x
    i32.const 310
    i32.add
    local.set $x
    local.get $x
    i32.const 311
    i32.add
    local.set $x
    local.get $x
    i32.const 312
    i32.add
    local.set $x
    local.get $x
    i32.const 313
    i32.add
    local.set $x
    local.get $x
    i32.const 314
    i32.add
    local.set $x
    local.get $x
    i32.const 315
    i32.add
    local.set $x
    local.get $x
    i32.const 316
    i32.add
    local.set $x
    local.get $x
    i32.const 317
    i32.add
    local.set $x
    local.get $x
    i32.const 318
    i32.add
    local.set $x
    local.get $x
    i32.const 319
    i32.add
    local.set $x
    local.get $x
    i32.const 320
    i32.add
    local.set $x
    local.get $x
    i32.const 321
    i32.add
    local.set $x
    local.get $x
    i32.const 322
    i32.add
    local.set $x
    local.get $x
    i32.const 323
    i32.add
    local.set $x
    local.get $x
    i32.const 324
    i32.add
    local.set $x
    local.get $x
    i32.const 325
    i32.add
    local.set $x
    local.get $x
    i32.const 326
    i32.add
    local.set $x
    local.get $x
    i32.const 327
    i32.add
    local.set $x
    local.get $x
    i32.const 328
    i32.add
    local.set $x
    local.get $x
    i32.const 329
    i32.add
    local.set $x
    local.get $x
    i32.const 330
    i32.add
    local.set $x
    local.get $x
    i32.const 331
    i32.add
    local.set $x
    local.get $x
    i32.const 332
    i32.add
    local.set $x
    local.get $x
    i32.const 333
    i32.add
    local.set $x
    local.get $x
    i32.const 334
    i32.add
    local.set $x
    local.get $x
    i32.const 335
    i32.add
    local.set $x
    local.get $x
    i32.const 336
    i32.add
    local.set $x
    local.get $x
    i32.const 337
    i32.add
    local.set $x
    local.get $x
    i32.const 338
    i32.add
    local.set $x
    local.get $x
    i32.const 339
    i32.add
    local.set $x
    local.get $x
    i32.const 340
    i32.add
    local.set $x
    local.get $x
    i32.const 341
    i32.add
    local.set $x
    local.get $x
    i32.const 342
    i32.add
    local.set $x
    local.get $x
    i32.const 343
    i32.add
    local.set $x
    local.get $x
    i32.const 344
    i32.add
    local.set $x
    local.get $x
    i32.const 345
    i32.add
    local.set $x
    local.get $x
    i32.const 346
    i32.add
    local.set $x
    local.get $x
    i32.const 347
    i32.add
    local.set $x
    local.get $x
    i32.const 348
    i32.add
    local.set $x
    local.get $x
    i32.const 349
    i32.add
    local.set $x
    local.get $x
    i32.const 350
    i32.add
    local.set $x
    local.get $x
    i32.const 351
    i32.add
    local.set $x
    local.get $x
    i32.const 352
    i32.add
    local.set $x
    local.get $x
    i32.const 353
    i32.add
    local.set $x
    local.get $x
    i32.const 354
    i32.add
    local.set $x
    local.get $x
    i32.const 355
    i32.add
    local.set $x
    local.get $x
    i32.const 356
    i32.add
    local.set $x
    local.get $x
    i32.const 357
    i32.add
    local.set $x
    local.get $x
    i32.const 358
    i32.add
    local.set $x
    local.get $x
    i32.const 359
    i32.add
    local.set $x
    local.get $x
    i32.const 360
    i32.add
    local.set $x
    local.get $x
    i32.const 361
    i32.add
    local.set $x
    local.get $x
    i32.const 362
    i32.add
    local.set $x
    local.get $x
    i32.const 363
    i32.add
    local.set $x
    local.get $x
    i32.const 364
    i32.add
    local.set $x
    local.get $x
    i32.const 365
    i32.add
    local.set $x
    local.get $x
    i32.const 366
    i32.add
    local.set $x
    local.get $x
    i32.const 367
    i32.add
    local.set $x
    local.get $x
    i32.const 368
    i32.add
    local.set $x
    local.get $x
    i32.const 369
    i32.add
    local.set $x
    local.get $x
    i32.const 370
    i32.add
    local.set $x
    local.get $x
    i32.const 371
    i32.add
    local.set $x
    local.get $x
    i32.const 372
    i32.add
    local.set $x
    local.get $x
    i32.const 373
    i32.add
    local.set $x
    local.get $x
    i32.const 374
    i32.add
    local.set $x
    local.get $x
    i32.const 375
    i32.add
    local.set $x
    local.get $x
    i32.const 376
    i32.add
    local.set $x
    local.get $x
    i32.const 377
    i32.add
    local.set $x
    local.get $x
    i32.const 378
    i32.add
    local.set $x
    local.get $x
    i32.const 379
    i32.add
    local.set $x
    local.get $x
    i32.const 380
    i32.add
    local.set $x
    local.get $x
    i32.const 381
    i32.add
    local.set $x
    local.get $x
    i32.const 382
    i32.add
    local.set $x
    local.get $x
    i32.const 383
    i32.add
    local.set $x
    local.get $x
    i32.const 384
    i32.add
    local.set $x
    local.get $x
    i32.const 385
    i32.add
    local.set $x
    local.get $x
    i32.const 386
    i32.add
    local.set $x
    local.get $x
    i32.const 387
    i32.add
    local.set $x
    local.get $x
    i32.const 388
    i32.add
    local.set $x
    local.get $x
    i32.const 389
    i32.add
    local.set $x
    local.get $x
    i32.const 390
    i32.add
    local.set $x
    local.get $x
    i32.const 391
    i32.add
    local.set $x
    local.get $x
    i32.const 392
    i32.add
    local.set $x
    local.get $x
    i32.const 393
    i32.add
    local.set $x
    local.get $x
    i32.const 394
    i32.add
    local.set $x
    local.get $x
    i32.const 395
    i32.add
    local.set $x
    local.get $x
    i32.const 396
    i32.add
    local.set $x
    local.get $x
    i32.const 397
    i32.add
    local.set $x
    local.get $x
    i32.const 398
    i32.add
    local.set $x
    local.get $x
    i32.const 399
    i32.add
    local.set $x
    local.get $x
    i32.const 400
    i32.add
    local.set $x
    local.get $x
    i32.const 401
    i32.add
    local.set $x
    local.get $x
    i32.const 402
    i32.add
    local.set $x
    local.get $x
    i32.const 403
    i32.add
    local.set $x
    local.get $x
    i32.const 404
    i32.add
    local.set $x
    local.get $x
    i32.const 405
    i32.add
    local.set $x
    local.get $x
    i32.const 406
    i32.add
    local.set $x
    local.get $x
    i32.const 407
    i32.add
    local.set $x
    local.get $x
    i32.const 408
    i32.add
    local.set $x
    local.get $x
    i32.const 409
    i32.add
    local.set $x
    local.get $x
    i32.const 410
    i32.add
    local.set $x
    local.get $x
    i32.const 411
    i32.add
    local.set $x
    local.get $x
    i32.const 412
    i32.add
    local.set $x
    local.get $x
    i32.const 413
    i32.add
    local.set $x
    local.get $x
    i32.const 414
    i32.add
    local.set $x
    local.get $x
    i32.const 415
    i32.add
    local.set $x
    local.get $x
    i32.const 416
    i32.add
    local.set $x
    local.get $x
    i32.const 417
    i32.add
    local.set $x
    local.get $x
    i32.const 418
    i32.add
    local.set $x
    local.get $x
    i32.const 419
    i32.add
    local.set $x
    local.get $x
    i32.const 420
    i32.add
    local.set $x
    local.get $x
    i32.const 421
    i32.add
    local.set $x
    local.get $x
    i32.const 422
    i32.add
    local.set $x
    local.get $x
    i32.const 423
    i32.add
    local.set $x
    local.get $x
    i32.const 424
    i32.add
    local.set $x
    local.get $x
    i32.const 425
    i32.add
    local.set $x
    local.get $x
    i32.const 426
    i32.add
    local.set $x
    local.get $x
    i32.const 427
    i32.add
    local.set $x
    local.get $x
    i32.const 428
    i32.add
    local.set $x
    local.get $x
    i32.const 429
    i32.add
    local.set $x
    local.get $x
    i32.const 430
    i32.add
    local.set $x
    local.get $x
    i32.const 431
    i32.add
    local.set $x
    local.get $x
    i32.const 432
    i32.add
    local.set $x
    local.get $x
    i32.const 433
    i32.add
    local.set $x
    local.get $x
    i32.const 434
    i32.add
    local.set $x
    local.get $x
    i32.const 435
    i32.add
    local.set $x
    local.get $x
    i32.const 436
    i32.add
    local.set $x
    local.get $x
    i32.const 437
    i32.add
    local.set $x
    local.get $x
    i32.const 438
    i32.add
    local.set $x
    local.get $x
    i32.const 439
    i32.add
    local.set $x
    local.get $x
    i32.const 440
    i32.add
    local.set $x
    local.get $x
    i32.const 441
    i32.add
    local.set $x
    local.get $x
    i32.const 442
    i32.add
    local.set $x
    local.get $x
    i32.const 443
    i32.add
    local.set $x
    local.get $x
    i32.const 444
    i32.add
    local.set $x
    local.get $x
    i32.const 445
    i32.add
    local.set $x
    local.get $x
    i32.const 446
    i32.add
    local.set $x
    local.get $x
    i32.const 447
    i32.add
    local.set $x
    local.get $x
    i32.const 448
    i32.add
    local.set $x
    local.get $x
    i32.const 449
    i32.add
    local.set $x
    local.get $x
    i32.const 450
    i32.add
    local.set $x
    local.get $x
    i32.const 451
    i32.add
    local.set $x
    local.get $x
    i32.const 452
    i32.add
    local.set $x
    local.get $x
    i32.const 453
    i32.add
    local.set $x
    local.get $x
    i32.const 454
    i32.add
    local.set $x
    local.get $x
    i32.const 455
    i32.add
    local.set $x
    local.get $x
    i32.const 456
    i32.add
    local.set $x
    local.get $x
    i32.const 457
    i32.add
    local.set $x
    local.get $x
    i32.const 458
    i32.add
    local.set $x
    local.get $x
    i32.const 459
    i32.add
    local.set $x
    local.get $x
    i32.const 460
    i32.add
    local.set $x
    local.get $x
    i32.const 461
    i32.add
    local.set $x
    local.get $x
    i32.const 462
    i32.add
    local.set $x
    local.get $x
    i32.const 463
    i32.add
    local.set $x
    local.get $x
    i32.const 464
    i32.add
    local.set $x
    local.get $x
    i32.const 465
    i32.add
    local.set $x
    local.get $x
    i32.const 466
    i32.add
    local.set $x
    local.get $x
    i32.const 467
    i32.add
    local.set $x
    local.get $x
    i32.const 468
    i32.add
    local.set $x
    local.get $x
    i32.const 469
    i32.add
    local.set $x
    local.get $x
    i32.const 470
    i32.add
    local.set $x
    local.get $x
    i32.const 471
    i32.add
    local.set $x
    local.get $x
    i32.const 472
    i32.add
    local.set $x
    local.get $x
    i32.const 473
    i32.add
    local.set $x
    local.get $x
    i32.const 474
    i32.add
    local.set $x
    local.get $x
    i32.const 475
    i32.add
    local.set $x
    local.get $x
    i32.const 476
    i32.add
    local.set $x
    local.get $x
    i32.const 477
    i32.add
    local.set $x
    local.get $x
    i32.const 478
    i32.add
    local.set $x
    local.get $x
    i32.const 479
    i32.add
    local.set $x
    local.get $x
    i32.const 480
    i32.add
    local.set $x
    local.get $x
    i32.const 481
    i32.add
    local.set $x
    local.get $x
    i32.const 482
    i32.add
    local.set $x
    local.get $x
    i32.const 483
    i32.add
    local.set $x
    local.get $x
    i32.const 484
    i32.add
    local.set $x
    local.get $x
    i32.const 485
    i32.add
    local.set $x
    local.get $x
    i32.const 486
    i32.add
    local.set $x
    local.get $x
    i32.const 487
    i32.add
    local.set $x
    local.get $x
    i32.const 488
    i32.add
    local.set $x
    local.get $x
    i32.const 489
    i32.add
    local.set $x
    local.get $x
    i32.const 490
    i32.add
    local.set $x
    local.get $x
    i32.const 491
    i32.add
    local.set $x
    local.get $x
    i32.const 492
    i32.add
    local.set $x
    local.get $x
    i32.const 493
    i32.add
    local.set $x
    local.get $x
    i32.const 494
    i32.add
    local.set $x
    local.get $x
    i32.const 495
    i32.add
    local.set $x
    local.get $x
    i32.const 496
    i32.add
    local.set $x
    local.get $x
    i32.const 497
    i32.add
    local.set $x
    local.get $x
    i32.const 498
    i32.add
    local.set $x
    local.get $x
    i32.const 499
    i32.add
    local.set $x
    local.get $x
    i32.const 500
    i32.add
    local.set $x
    local.get $x
    i32.const 501
    i32.add
    local.set $x
    local.get $x
    i32.const 502
    i32.add
    local.set $x
    local.get $x
    i32.const 503
    i32.add
    local.set $x
    local.get $x
    i32.const 504
    i32.add
    local.set $x
    local.get $x
    i32.const 505
    i32.add
    local.set $x
    local.get $x
    i32.const 506
    i32.add
    local.set $x
    local.get $x
    i32.const 507
    i32.add
    local.set $x
    local.get $x
    i32.const 508
    i32.add
    local.set $x
    local.get $x
    i32.const 509
    i32.add
    local.set $x
    local.get $x
    i32.const 510
    i32.add
    local.set $x
    local.get $x
    call $kernelpack:touch
    i32.const 511
    i32.add
    local.set $x
    local.get $x
    i32.const 512
    i32.add
    local.set $x
    local.get $x
    i32.const 513
    i32.add
    local.set $x
    local.get $x
    i32.const 514
    i32.add
    local.set $x
    local.get $x
    i32.const 515
    i32.add
    local.set $x
    local.get $x
    i32.const 516
    i32.add
    local.set $x
    local.get $x
    i32.const 517
    i32.add
    local.set $x
    local.get $x
    i32.const 518
    i32.add
    local.set $x
    local.get $x
    i32.const 519
    i32.add
    local.set $x
    local.get $x
    i32.const 520
    i32.add
    local.set $x
    local.get $x
    i32.const 521
    i32.add
    local.set $x
    local.get $x
    i32.const 522
    i32.add
    local.set $x
    local.get $x
    i32.const 523
    i32.add
    local.set $x
    local.get $x
    i32.const 524
    i32.add
    local.set $x
    local.get $x
    i32.const 525
    i32.add
    local.set $x
    local.get $x
    i32.const 526
    i32.add
    local.set $x
    local.get $x
    i32.const 527
    i32.add
    local.set $x
    local.get $x
    i32.const 528
    i32.add
    local.set $x
    local.get $x
    i32.const 529
    i32.add
    local.set $x
    local.get $x
    i32.const 530
    i32.add
    local.set $x
    local.get $x
    i32.const 531
    i32.add
    local.set $x
    local.get $x
    i32.const 532
    i32.add
    local.set $x
    local.get $x
    i32.const 533
    i32.add
    local.set $x
    local.get $x
    i32.const 534
    i32.add
    local.set $x
    local.get $x
    i32.const 535
    i32.add
    local.set $x
    local.get $x
    i32.const 536
    i32.add
    local.set $x
    local.get $x
    i32.const 537
    i32.add
    local.set $x
    local.get $x
    i32.const 538
    i32.add
    local.set $x
    local.get $x
    i32.const 539
    i32.add
    local.set $x
    local.get $x
    i32.const 540
    i32.add
    local.set $x
    local.get $x
    i32.const 541
    i32.add
    local.set $x
    local.get $x
    i32.const 542
    i32.add
    local.set $x
    local.get $x
    i32.const 543
    i32.add
    local.set $x
    local.get $x
    i32.const 544
    i32.add
    local.set $x
    local.get $x
    i32.const 545
    i32.add
    local.set $x
    local.get $x
    i32.const 546
    i32.add
    local.set $x
    local.get $x
    i32.const 547
    i32.add
    local.set $x
    local.get $x
    i32.const 548
    i32.add
    local.set $x
    local.get $x
    i32.const 549
    i32.add
    local.set $x
    local.get $x
    i32.const 550
    i32.add
    local.set $x
    local.get $x
    i32.const 551
    i32.add
    local.set $x
    local.get $x
    i32.const 552
    i32.add
    local.set $x
    local.get $x
    i32.const 553
    i32.add
    local.set $x
    local.get $x
    i32.const 554
    i32.add
    local.set $x
    local.get $x
    i32.const 555
    i32.add
    local.set $x
    local.get $x
    i32.const 556
    i32.add
    local.set $x
    local.get $x
    i32.const 557
    i32.add
    local.set $x
    local.get $x
    i32.const 558
    i32.add
    local.set $x
    local.get $x
    i32.const 559
    i32.add
    local.set $x
    local.get $x
    i32.const 560
    i32.add
    local.set $x
    local.get $x
    i32.const 561
    i32.add
    local.set $x
    local.get $x
    i32.const 562
    i32.add
    local.set $x
    local.get $x
    i32.const 563
    i32.add
    local.set $x
    local.get $x
    i32.const 564
    i32.add
    local.set $x
    local.get $x
    i32.const 565
    i32.add
    local.set $x
    local.get $x
    i32.const 566
    i32.add
    local.set $x
    local.get $x
    i32.const 567
    i32.add
    local.set $x
    local.get $x
    i32.const 568
    i32.add
    local.set $x
    local.get $x
    i32.const 569
    i32.add
    local.set $x
    local.get $x
    i32.const 570
    i32.add
    local.set $x
    local.get $x
    i32.const 571
    i32.add
    local.set $x
    local.get $x
    i32.const 572
    i32.add
    local.set $x
    local.get $x
    i32.const 573
    i32.add
    local.set $x
    local.get $x
    i32.const 574
    i32.add
    local.set $x
    local.get $x
    i32.const 575
    i32.add
    local.set $x
    local.get $x
    i32.const 576
    i32.add
    local.set $x
    local.get $x
    i32.const 577
    i32.add
    local.set $x
    local.get $x
    i32.const 578
    i32.add
    local.set $x
    local.get $x
    i32.const 579
    i32.add
    local.set $x
    local.get $x
    i32.const 580
    i32.add
    local.set $x
    local.get $x
    i32.const 581
    i32.add
    local.set $x
    local.get $x
    i32.const 582
    i32.add
    local.set $x
    local.get $x
    i32.const 583
    i32.add
    local.set $x
    local.get $x
    i32.const 584
    i32.add
    local.set $x
    local.get $x
    i32.const 585
    i32.add
    local.set $x
    local.get $x
    i32.const 586
    i32.add
    local.set $x
    local.get $x
    i32.const 587
    i32.add
    local.set $x
    local.get $x
    i32.const 588
    i32.add
    local.set $x
    local.get $x
    i32.const 589
    i32.add
    local.set $x
    local.get $x
    i32.const 590
    i32.add
    local.set $x
    local.get $x
    i32.const 591
    i32.add
    local.set $x
    local.get $x
    i32.const 592
    i32.add
    local.set $x
    local.get $x
    i32.const 593
    i32.add
    local.set $x
    local.get $x
    i32.const 594
    i32.add
    local.set $x
    local.get $x
    i32.const 595
    i32.add
    local.set $x
    local.get $x
    i32.const 596
    i32.add
    local.set $x
    local.get $x
    i32.const 597
    i32.add
    local.set $x
    local.get $x
    i32.const 598
    i32.add
    local.set $x
    local.get $x
    i32.const 599
    i32.add
    local.set $x
    local.get $x
    i32.const 600
    i32.add
    local.set $x
    local.get $x
    i32.const 601
    i32.add
    local.set $x
    local.get $x
    i32.const 602
    i32.add
    local.set $x
    local.get $x
    i32.const 603
    i32.add
    local.set $x
    local.get $x
    i32.const 604
    i32.add
    local.set $x
    local.get $x
    i32.const 605
    i32.add
    local.set $x
    local.get $x
    i32.const 606
    i32.add
    local.set $x
    local.get $x
    i32.const 607
    i32.add
    local.set $x
    local.get $x
    i32.const 608
    i32.add
    local.set $x
    local.get $x
    i32.const 609
    i32.add
    local.set $x
    local.get $x
    i32.const 610
    i32.add
    local.set $x
    local.get $x
    i32.const 611
    i32.add
    local.set $x
    local.get $x
    i32.const 612
    i32.add
    local.set $x
    local.get $x
    i32.const 613
    i32.add
    local.set $x
    local.get $x
    i32.const 614
    i32.add
    local.set $x
    local.get $x
    i32.const 615
    i32.add
    local.set $x
    local.get $x
    i32.const 616
    i32.add
    local.set $x
    local.get $x
    i32.const 617
    i32.add
    local.set $x
    local.get $x
    i32.const 618
    i32.add
    local.set $x
    local.get $x
    i32.const 619
    i32.add
    local.set $x
    local.get $x
    i32.const 620
    i32.add
    local.set $x
    local.get $x
    i32.const 621
    i32.add
    local.set $x
    local.get $x
    i32.const 622
    i32.add
    local.set $x
    local.get $x
    i32.const 623
    i32.add
    local.set $x
    local.get $x
    i32.const 624
    i32.add
    local.set $x
    local.get $x
    i32.const 625
    i32.add
    local.set $x
    local.get $x
    i32.const 626
    i32.add
    local.set $x
    local.get $x
    i32.const 627
    i32.add
    local.set $x
    local.get $x
    i32.const 628
    i32.add
    local.set $x
    local.get $x
    i32.const 629
    i32.add
    local.set $x
    local.get $x
    i32.const 630
    i32.add
    local.set $x
    local.get $x
    i32.const 631
    i32.add
    local.set $x
    local.get $x
    i32.const 632
    i32.add
    local.set $x
    local.get $x
    i32.const 633
    i32.add
    local.set $x
    local.get $x
    i32.const 634
    i32.add
    local.set $x
    local.get $x
    i32.const 635
    i32.add
    local.set $x
    local.get $x
    i32.const 636
    i32.add
    local.set $x
    local.get $x
    i32.const 637
    i32.add
    local.set $x
    local.get $x
    i32.const 638
    i32.add
    local.set $x
    local.get $x
    i32.const 639
    i32.add
    local.set $x
    local.get $x
    i32.const 640
    i32.add
    local.set $x
    local.get $x
    i32.const 641
    i32.add
    local.set $x
    local.get $x
    i32.const 642
    i32.add
    local.set $x
    local.get $x
    i32.const 643
    i32.add
    local.set $x
    local.get $x
    i32.const 644
    i32.add
    local.set $x
    local.get $x
    i32.const 645
    i32.add
    local.set $x
    local.get $x
    i32.const 646
    i32.add
    local.set $x
    local.get $x
    i32.const 647
    i32.add
    local.set $x
    local.get $x
    i32.const 648
    i32.add
    local.set $x
    local.get $x
    i32.const 649
    i32.add
    local.set $x
    local.get $x
    i32.const 650
    i32.add
    local.set $x
    local.get $x
    i32.const 651
    i32.add
    local.set $x
    local.get $x
    i32.const 652
    i32.add
    local.set $x
    local.get $x
    i32.const 653
    i32.add
    local.set $x
    local.get $x
    i32.const 654
    i32.add
    local.set $x
    local.get $x
    i32.const 655
    i32.add
    local.set $x
    local.get $x
    i32.const 656
    i32.add
    local.set $x
    local.get $x
    i32.const 657
    i32.add
    local.set $x
    local.get $x
    i32.const 658
    i32.add
    local.set $x
    local.get $x
    i32.const 659
    i32.add
    local.set $x
    local.get $x
    i32.const 660
    i32.add
    local.set $x
    local.get $x
    i32.const 661
    i32.add
    local.set $x
    local.get $x
    i32.const 662
    i32.add
    local.set $x
    local.get $x
    i32.const 663
    i32.add
    local.set $x
    local.get $x
    i32.const 664
    i32.add
    local.set $x
    local.get $x
    i32.const 665
    i32.add
    local.set $x
    local.get $x
    i32.const 666
    i32.add
    local.set $x
    local.get $x
    i32.const 667
    i32.add
    local.set $x
    local.get $x
    i32.const 668
    i32.add
    local.set $x
    local.get $x
    i32.const 669
    i32.add
    local.set $x
    local.get $x
    i32.const 670
    i32.add
    local.set $x
    local.get $x
    i32.const 671
    i32.add
    local.set $x
    local.get $x
    i32.const 672
    i32.add
    local.set $x
    local.get $x
    i32.const 673
    i32.add
    local.set $x
    local.get $x
    i32.const 674
    i32.add
    local.set $x
    local.get $x
    i32.const 675
    i32.add
    local.set $x
    local.get $x
    i32.const 676
    i32.add
    local.set $x
    local.get $x
    i32.const 677
    i32.add
    local.set $x
    local.get $x
    i32.const 678
    i32.add
    local.set $x
    local.get $x
    i32.const 679
    i32.add
    local.set $x
    local.get $x
    i32.const 680
    i32.add
    local.set $x
    local.get $x
    i32.const 681
    i32.add
    local.set $x
    local.get $x
    i32.const 682
    i32.add
    local.set $x
    local.get $x
    i32.const 683
    i32.add
    local.set $x
    local.get $x
    i32.const 684
    i32.add
    local.set $x
    local.get $x
    i32.const 685
    i32.add
    local.set $x
    local.get $x
    i32.const 686
    i32.add
    local.set $x
    local.get $x
    i32.const 687
    i32.add
    local.set $x
    local.get $x
    i32.const 688
    i32.add
    local.set $x
    local.get $x
    i32.const 689
    i32.add
    local.set $x
    local.get $x
    i32.const 690
    i32.add
    local.set $x
    local.get $x
    i32.const 691
    i32.add
    local.set $x
    local.get $x
    i32.const 692
    i32.add
    local.set $x
    local.get $x
    i32.const 693
    i32.add
    local.set $x
    local.get $x
    i32.const 694
    i32.add
    local.set $x
    local.get $x
    i32.const 695
    i32.add
    local.set $x
    local.get $x
    i32.const 696
    i32.add
    local.set $x
    local.get $x
    i32.const 697
    i32.add
    local.set $x
    local.get $x
    i32.const 698
    i32.add
    local.set $x
    local.get $x
    i32.const 699
    i32.add
    local.set $x
    local.get $x
    i32.const 700
    i32.add
    local.set $x
    local.get $x
    i32.const 701
    i32.add
    local.set $x
    local.get $x
    i32.const 702
    i32.add
    local.set $x
    local.get $x
    i32.const 703
    i32.add
    local.set $x
    local.get $x
    i32.const 704
    i32.add
    local.set $x
    local.get $x
    i32.const 705
    i32.add
    local.set $x
    local.get $x
    i32.const 706
    i32.add
    local.set $x
    local.get $x
    i32.const 707
    i32.add
    local.set $x
    local.get $x
    i32.const 708
    i32.add
    local.set $x
    local.get $x
    i32.const 709
    i32.add
    local.set $x
    local.get $x
    i32.const 710
    i32.add
    local.set $x
    local.get $x
    i32.const 711
    i32.add
    local.set $x
    local.get $x
    i32.const 712
    i32.add
    local.set $x
    local.get $x
    i32.const 713
    i32.add
    local.set $x
    local.get $x
    i32.const 714
    i32.add
    local.set $x
    local.get $x
    i32.const 715
    i32.add
    local.set $x
    local.get $x
    i32.const 716
    i32.add
    local.set $x
    local.get $x
    i32.const 717
    i32.add
    local.set $x
    local.get $x
    i32.const 718
    i32.add
    local.set $x
    local.get $x
    i32.const 719
    i32.add
    local.set $x
    local.get $x
    i32.const 720
    i32.add
    local.set $x
    local.get $x
    i32.const 721
    i32.add
    local.set $x
    local.get $x
    i32.const 722
    i32.add
    local.set $x
    local.get $x
    i32.const 723
    i32.add
    local.set $x
    local.get $x
    i32.const 724
    i32.add
    local.set $x
    local.get $x
    i32.const 725
    i32.add
    local.set $x
    local.get $x
    i32.const 726
    i32.add
    local.set $x
    local.get $x
    i32.const 727
    i32.add
    local.set $x
    local.get $x
    i32.const 728
    i32.add
    local.set $x
    local.get $x
    i32.const 729
    i32.add
    local.set $x
    local.get $x
    i32.const 730
    i32.add
    local.set $x
    local.get $x
    i32.const 731
    i32.add
    local.set $x
    local.get $x
    i32.const 732
    i32.add
    local.set $x
    local.get $x
    i32.const 733
    i32.add
    local.set $x
    local.get $x
    i32.const 734
    i32.add
    local.set $x
    local.get $x
    i32.const 735
    i32.add
    local.set $x
    local.get $x
    i32.const 736
    i32.add
    local.set $x
    local.get $x
    i32.const 737
    i32.add
    local.set $x
    local.get $x
    i32.const 738
    i32.add
    local.set $x
    local.get $x
    i32.const 739
    i32.add
    local.set $x
    local.get $x
    i32.const 740
    i32.add
    local.set $x
    local.get $x
    i32.const 741
    i32.add
    local.set $x
    local.get $x
    i32.const 742
    i32.add
    local.set $x
    local.get $x
    i32.const 743
    i32.add
    local.set $x
    local.get $x
    i32.const 744
    i32.add
    local.set $x
    local.get $x
    i32.const 745
    i32.add
    local.set $x
    local.get $x
    i32.const 746
    i32.add
    local.set $x
    local.get $x
    i32.const 747
    i32.add
    local.set $x
    local.get $x
    i32.const 748
    i32.add
    local.set $x
    local.get $x
    i32.const 749
    i32.add
    local.set $x
    local.get $x
    i32.const 750
    i32.add
    local.set $x
    local.get $x
    i32.const 751
    i32.add
    local.set $x
    local.get $x
    i32.const 752
    i32.add
    local.set $x
    local.get $x
    i32.const 753
    i32.add
    local.set $x
    local.get $x
    i32.const 754
    i32.add
    local.set $x
    local.get $x
    i32.const 755
    i32.add
    local.set $x
    local.get $x
    i32.const 756
    i32.add
    local.set $x
    local.get $x
    i32.const 757
    i32.add
    local.set $x
    local.get $x
    i32.const 758
    i32.add
    local.set $x
    local.get $x
    i32.const 759
    i32.add
    local.set $x
    local.get $x
    i32.const 760
    i32.add
    local.set $x
    local.get $x
    i32.const 761
    i32.add
    local.set $x
    local.get $x
    i32.const 762
    i32.add
    local.set $x
    local.get $x
    i32.const 763
    i32.add
    local.set $x
    local.get $x
    i32.const 764
    i32.add
    local.set $x
    local.get $x
    i32.const 765
    i32.add
    local.set $x
    local.get $x
    i32.const 766
    i32.add
    local.set $x
    local.get $x
    i32.const 767
    i32.add
    local.set $x
    local.get $x
    i32.const 768
    i32.add
    local.set $x
    local.get $x
    i32.const 769
    i32.add
    local.set $x
    local.get $x
    i32.const 770
    i32.add
    local.set $x
    local.get $x
    i32.const 771
    i32.add
    local.set $x
    local.get $x
    i32.const 772
    i32.add
    local.set $x
    local.get $x
    i32.const 773
    i32.add
    local.set $x
    local.get $x
    i32.const 774
    i32.add
    local.set $x
    local.get $x
    i32.const 775
    i32.add
    local.set $x
    local.get $x
    i32.const 776
    i32.add
    local.set $x
    local.get $x
    i32.const 777
    i32.add
    local.set $x
    local.get $x
    i32.const 778
    i32.add
    local.set $x
    local.get $x
    i32.const 779
    i32.add
    local.set $x
    local.get $x
    i32.const 780
    i32.add
    local.set $x
    local.get $x
    i32.const 781
    i32.add
    local.set $x
    local.get $x
    i32.const 782
    i32.add
    local.set $x
    local.get $x
    i32.const 783
    i32.add
    local.set $x
    local.get $x
    i32.const 784
    i32.add
    local.set $x
    local.get $x
    i32.const 785
    i32.add
    local.set $x
    local.get $x
    i32.const 786
    i32.add
    local.set $x
    local.get $x
    i32.const 787
    i32.add
    local.set $x
    local.get $x
    i32.const 788
    i32.add
    local.set $x
    local.get $x
    i32.const 789
    i32.add
    local.set $x
    local.get $x
    i32.const 790
    i32.add
    local.set $x
    local.get $x
    i32.const 791
    i32.add
    local.set $x
    local.get $x
    i32.const 792
    i32.add
    local.set $x
    local.get $x
    i32.const 793
    i32.add
    local.set $x
    local.get $x
    i32.const 794
    i32.add
    local.set $x
    local.get $x
    i32.const 795
    i32.add
    local.set $x
    local.get $x
    i32.const 796
    i32.add
    local.set $x
    local.get $x
    i32.const 797
    i32.add
    local.set $x
    local.get $x
    i32.const 798
    i32.add
    local.set $x
    local.get $x
    i32.const 799
    i32.add
    local.set $x
    local.get $x
    i32.const 800
    i32.add
    local.set $x
    local.get $x
    i32.const 801
    i32.add
    local.set $x
    local.get $x
    i32.const 802
    i32.add
    local.set $x
    local.get $x
    i32.const 803
    i32.add
    local.set $x
    local.get $x
    i32.const 804
    i32.add
    local.set $x
    local.get $x
    i32.const 805
    i32.add
    local.set $x
    local.get $x
    i32.const 806
    i32.add
    local.set $x
    local.get $x
    i32.const 807
    i32.add
    local.set $x
    local.get $x
    i32.const 808
    i32.add
    local.set $x
    local.get $x
    i32.const 809
    i32.add
    local.set $x
    local.get $x
    i32.const 810
    i32.add
    local.set $x
    local.get $x
    i32.const 811
    i32.add
    local.set $x
    local.get $x
    i32.const 812
    i32.add
    local.set $x
    local.get $x
    i32.const 813
    i32.add
    local.set $x
    local.get $x
    i32.const 814
    i32.add
    local.set $x
    local.get $x
    i32.const 815
    i32.add
    local.set $x
    local.get $x
    i32.const 816
    i32.add
    local.set $x
    local.get $x
    i32.const 817
    i32.add
    local.set $x
    local.get $x
    i32.const 818
    i32.add
    local.set $x
    local.get $x
    i32.const 819
    i32.add
    local.set $x
    local.get $x
    i32.const 820
    i32.add
    local.set $x
    local.get $x
    i32.const 821
    i32.add
    local.set $x
    local.get $x
    i32.const 822
    i32.add
    local.set $x
    local.get $x
    i32.const 823
    i32.add
    local.set $x
    local.get $x
    i32.const 824
    i32.add
    local.set $x
    local.get $x
    i32.const 825
    i32.add
    local.set $x
    local.get $x
    i32.const 826
    i32.add
    local.set $x
    local.get $x
    i32.const 827
    i32.add
    local.set $x
    local.get $x
    i32.const 828
    i32.add
    local.set $x
    local.get $x
    i32.const 829
    i32.add
    local.set $x
    local.get $x
    i32.const 830
    i32.add
    local.set $x
    local.get $x
    i32.const 831
    i32.add
    local.set $x
    local.get $x
    i32.const 832
    i32.add
    local.set $x
    local.get $x
    i32.const 833
    i32.add
    local.set $x
    local.get $x
    i32.const 834
    i32.add
    local.set $x
    local.get $x
    i32.const 835
    i32.add
    local.set $x
    local.get $x
    i32.const 836
    i32.add
    local.set $x
    local.get $x
    i32.const 837
    i32.add
    local.set $x
    local.get $x
    i32.const 838
    i32.add
    local.set $x
    local.get $x
    i32.const 839
    i32.add
    local.set $x
    local.get $x
    i32.const 840
    i32.add
    local.set $x
    local.get $x
    i32.const 841
    i32.add
    local.set $x
    local.get $x
    i32.const 842
    i32.add
    local.set $x
    local.get $x
    i32.const 843
    i32.add
    local.set $x
    local.get $x
    i32.const 844
    i32.add
    local.set $x
    local.get $x
    i32.const 845
    i32.add
    local.set $x
    local.get $x
    i32.const 846
    i32.add
    local.set $x
    local.get $x
    i32.const 847
    i32.add
    local.set $x
    local.get $x
    i32.const 848
    i32.add
    local.set $x
    local.get $x
    i32.const 849
    i32.add
    local.set $x
    local.get $x
    i32.const 850
    i32.add
    local.set $x
    local.get $x
    i32.const 851
    i32.add
    local.set $x
    local.get $x
    i32.const 852
    i32.add
    local.set $x
    local.get $x
    i32.const 853
    i32.add
    local.set $x
    local.get $x
    i32.const 854
    i32.add
    local.set $x
    local.get $x
    i32.const 855
    i32.add
    local.set $x
    local.get $x
    i32.const 856
    i32.add
    local.set $x
    local.get $x
    i32.const 857
    i32.add
    local.set $x
    local.get $x
    i32.const 858
    i32.add
    local.set $x
    local.get $x
    i32.const 859
    i32.add
    local.set $x
    local.get $x
    i32.const 860
    i32.add
    local.set $x
    local.get $x
    i32.const 861
    i32.add
    local.set $x
    local.get $x
    i32.const 862
    i32.add
    local.set $x
    local.get $x
    i32.const 863
    i32.add
    local.set $x
    local.get $x
    i32.const 864
    i32.add
    local.set $x
    local.get $x
    i32.const 865
    i32.add
    local.set $x
    local.get $x
    i32.const 866
    i32.add
    local.set $x
    local.get $x
    i32.const 867
    i32.add
    local.set $x
    local.get $x
    i32.const 868
    i32.add
    local.set $x
    local.get $x
    i32.const 869
    i32.add
    local.set $x
    local.get $x
    i32.const 870
    i32.add
    local.set $x
    local.get $x
    i32.const 871
    i32.add
    local.set $x
    local.get $x
    i32.const 872
    i32.add
    local.set $x
    local.get $x
    i32.const 873
    i32.add
    local.set $x
    local.get $x
    i32.const 874
    i32.add
    local.set $x
    local.get $x
    i32.const 875
    i32.add
    local.set $x
    local.get $x
    i32.const 876
    i32.add
    local.set $x
    local.get $x
    i32.const 877
    i32.add
    local.set $x
    local.get $x
    i32.const 878
    i32.add
    local.set $x
    local.get $x
    i32.const 879
    i32.add
    local.set $x
    local.get $x
    i32.const 880
    i32.add
    local.set $x
    local.get $x
    i32.const 881
    i32.add
    local.set $x
    local.get $x
    i32.const 882
    i32.add
    local.set $x
    local.get $x
    i32.const 883
    i32.add
    local.set $x
    local.get $x
    i32.const 884
    i32.add
    local.set $x
    local.get $x
    i32.const 885
    i32.add
    local.set $x
    local.get $x
    i32.const 886
    i32.add
    local.set $x
    local.get $x
    i32.const 887
    i32.add
    local.set $x
    local.get $x
    i32.const 888
    i32.add
    local.set $x
    local.get $x
    i32.const 889
    i32.add
    local.set $x
    local.get $x
    i32.const 890
    i32.add
    local.set $x
    local.get $x
    i32.const 891
    i32.add
    local.set $x
    local.get $x
    i32.const 892
    i32.add
    local.set $x
    local.get $x
    i32.const 893
    i32.add
    local.set $x
    local.get $x
    i32.const 894
    i32.add
    local.set $x
    local.get $x
    i32.const 895
    i32.add
    local.set $x
    local.get $x
    i32.const 896
    i32.add
    local.set $x
    local.get $x
    i32.const 897
    i32.add
    local.set $x
    local.get $x
    i32.const 898
    i32.add
    local.set $x
    local.get $x
    i32.const 899
    i32.add
    local.set $x
    local.get $x
    i32.const 900
    i32.add
    local.set $x
    local.get $x
    i32.const 901
    i32.add
    local.set $x
    local.get $x
    i32.const 902
    i32.add
    local.set $x
    local.get $x
    i32.const 903
    i32.add
    local.set $x
    local.get $x
    i32.const 904
    i32.add
    local.set $x
    local.get $x
    i32.const 905
    i32.add
    local.set $x
    local.get $x
    i32.const 906
    i32.add
    local.set $x
    local.get $x
    i32.const 907
    i32.add
    local.set $x
    local.get $x
    i32.const 908
    i32.add
    local.set $x
    local.get $x
    i32.const 909
    i32.add
    local.set $x
    local.get $x
    i32.const 910
    i32.add
    local.set $x
    local.get $x
    i32.const 911
    i32.add
    local.set $x
    local.get $x
    i32.const 912
    i32.add
    local.set $x
    local.get $x
    i32.const 913
    i32.add
    local.set $x
    local.get $x
    i32.const 914
    i32.add
    local.set $x
    local.get $x
    i32.const 915
    i32.add
    local.set $x
    local.get $x
    i32.const 916
    i32.add
    local.set $x
    local.get $x
    i32.const 917
    i32.add
    local.set $x
    local.get $x
    i32.const 918
    i32.add
    local.set $x
    local.get $x
    i32.const 919
    i32.add
    local.set $x
    local.get $x
    i32.const 920
    i32.add
    local.set $x
    local.get $x
    i32.const 921
    i32.add
    local.set $x
    local.get $x
    i32.const 922
    i32.add
    local.set $x
    local.get $x
    i32.const 923
    i32.add
    local.set $x
    local.get $x
    i32.const 924
    i32.add
    local.set $x
    local.get $x
    i32.const 925
    i32.add
    local.set $x
    local.get $x
    i32.const 926
    i32.add
    local.set $x
    local.get $x
    i32.const 927
    i32.add
    local.set $x
    local.get $x
    i32.const 928
    i32.add
    local.set $x
    local.get $x
    i32.const 929
    i32.add
    local.set $x
    local.get $x
    i32.const 930
    i32.add
    local.set $x
    local.get $x
    i32.const 931
    i32.add
    local.set $x
    local.get $x
    i32.const 932
    i32.add
    local.set $x
    local.get $x
    i32.const 933
    i32.add
    local.set $x
    local.get $x
    i32.const 934
    i32.add
    local.set $x
    local.get $x
    i32.const 935
    i32.add
    local.set $x
    local.get $x
    i32.const 936
    i32.add
    local.set $x
    local.get $x
    i32.const 937
    i32.add
    local.set $x
    local.get $x
    i32.const 938
    i32.add
    local.set $x
    local.get $x
    i32.const 939
    i32.add
    local.set $x
    local.get $x
    i32.const 940
    i32.add
    local.set $x
    local.get $x
    i32.const 941
    i32.add
    local.set $x
    local.get $x
    i32.const 942
    i32.add
    local.set $x
    local.get $x
    i32.const 943
    i32.add
    local.set $x
    local.get $x
    i32.const 944
    i32.add
    local.set $x
    local.get $x
    i32.const 945
    i32.add
    local.set $x
    local.get $x
    i32.const 946
    i32.add
    local.set $x
    local.get $x
    i32.const 947
    i32.add
    local.set $x
    local.get $x
    i32.const 948
    i32.add
    local.set $x
    local.get $x
    i32.const 949
    i32.add
    local.set $x
    local.get $x
    i32.const 950
    i32.add
    local.set $x
    local.get $x
    i32.const 951
    i32.add
    local.set $x
    local.get $x
    i32.const 952
    i32.add
    local.set $x
    local.get $x
    i32.const 953
    i32.add
    local.set $x
    local.get $x
    i32.const 954
    i32.add
    local.set $x
    local.get $x
    i32.const 955
    i32.add
    local.set $x
    local.get $x
    i32.const 956
    i32.add
    local.set $x
    local.get $x
    i32.const 957
    i32.add
    local.set $x
    local.get $x
    i32.const 958
    i32.add
    local.set $x
    local.get $x
    i32.const 959
    i32.add
    local.set $x
    local.get $x
    i32.const 960
    i32.add
    local.set $x
    local.get $x
    i32.const 961
    i32.add
    local.set $x
    local.get $x
    i32.const 962
    i32.add
    local.set $x
    local.get $x
    i32.const 963
    i32.add
    local.set $x
    local.get $x
    i32.const 964
    i32.add
    local.set $x
    local.get $x
    i32.const 965
    i32.add
    local.set $x
    local.get $x
    i32.const 966
    i32.add
    local.set $x
    local.get $x
    i32.const 967
    i32.add
    local.set $x
    local.get $x
    i32.const 968
    i32.add
    local.set $x
    local.get $x
    i32.const 969
    i32.add
    local.set $x
    local.get $x
    i32.const 970
    i32.add
    local.set $x
    local.get $x
    i32.const 971
    i32.add
    local.set $x
    local.get $x
    i32.const 972
    i32.add
    local.set $x
    local.get $x
    i32.const 973
    i32.add
    local.set $x
    local.get $x
    i32.const 974
    i32.add
    local.set $x
    local.get $x
    i32.const 975
    i32.add
    local.set $x
    local.get $x
    i32.const 976
    i32.add
    local.set $x
    local.get $x
    i32.const 977
    i32.add
    local.set $x
    local.get $x
    i32.const 978
    i32.add
    local.set $x
    local.get $x
    i32.const 979
    i32.add
    local.set $x
    local.get $x
    i32.const 980
    i32.add
    local.set $x
    local.get $x
    i32.const 981
    i32.add
    local.set $x
    local.get $x
    i32.const 982
    i32.add
    local.set $x
    local.get $x
    i32.const 983
    i32.add
    local.set $x
    local.get $x
    i32.const 984
    i32.add
    local.set $x
    local.get $x
    i32.const 985
    i32.add
    local.set $x
    local.get $x
    i32.const 986
    i32.add
    local.set $x
    local.get $x
    i32.const 987
    i32.add
    local.set $x
    local.get $x
    i32.const 988
    i32.add
    local.set $x
    local.get $x
    i32.const 989
    i32.add
    local.set $x
    local.get $x
    i32.const 990
    i32.add
    local.set $x
    local.get $x
    i32.const 991
    i32.add
    local.set $x
    local.get $x
    i32.const 992
    i32.add
    local.set $x
    local.get $x
    i32.const 993
    i32.add
    local.set $x
    local.get $x
    i32.const 994
    i32.add
    local.set $x
    local.get $x
    i32.const 995
    i32.add
    local.set $x
    local.get $x
    i32.const 996
    i32.add
    local.set $x
    local.get $x
    i32.const 997
    i32.add
    local.set $x
    local.get $x
    i32.const 998
    i32.add
    local.set $x
    local.get $x
    i32.const 999
    i32.add
    local.set $x
    local.get $x
    i32.const 1000
    i32.add
    local.set $x
    local.get $x
    i32.const 1001
    i32.add
    local.set $x
    local.get $x
    i32.const 1002
    i32.add
    local.set $x
    local.get $x
    i32.const 1003
    i32.add
    local.set $x
    local.get $x
    i32.const 1004
    i32.add
    local.set $x
    local.get $x
    i32.const 1005
    i32.add
    local.set $x
    local.get $x
    i32.const 1006
    i32.add
    local.set $x
    local.get $x
    i32.const 1007
    i32.add
    local.set $x
    local.get $x
    i32.const 1008
    i32.add
    local.set $x
    local.get $x
    i32.const 1009
    i32.add
    local.set $x
    local.get $x
    i32.const 1010
    i32.add
    local.set $x
    local.get $x
    i32.const 1011
    i32.add
    local.set $x
    local.get $x
    i32.const 1012
    i32.add
    local.set $x
    local.get $x
    i32.const 1013
    i32.add
    local.set $x
    local.get $x
    i32.const 1014
    i32.add
    local.set $x
    local.get $x
    i32.const 1015
    i32.add
    local.set $x
    local.get $x
    i32.const 1016
    i32.add
    local.set $x
    local.get $x
    i32.const 1017
    i32.add
    local.set $x
    local.get $x
    i32.const 1018
    i32.add
    local.set $x
    local.get $x
    i32.const 1019
    i32.add
    local.set $x
    local.get $x
    i32.const 1020
    i32.add
    local.set $x
    local.get $x
    i32.const 1021
    i32.add
    local.set $x
    local.get $x
    i32.const 1022
    i32.add
    local.set $x
    local.get $x
    call $kernelpack:touch
    i32.const 1023
    i32.add
    local.set $x
    local.get $x
    i32.const 1024
    i32.add
    local.set $x
    local.get $x
    i32.const 1025
    i32.add
    local.set $x
    local.get $x
    i32.const 1026
    i32.add
    local.set $x
    local.get $x
    i32.const 1027
    i32.add
    local.set $x
    local.get $x
    i32.const 1028
    i32.add
    local.set $x
    local.get $x
    i32.const 1029
    i32.add
    local.set $x
    local.get $x
    i32.const 1030
    i32.add
    local.set $x
    local.get $x
    i32.const 1031
    i32.add
    local.set $x
    local.get $x
    i32.const 1032
    i32.add
    local.set $x
    local.get $x
    i32.const 1033
    i32.add
    local.set $x
    local.get $x
    i32.const 1034
    i32.add
    local.set $x
    local.get $x
    i32.const 1035
    i32.add
    local.set $x
    local.get $x
    i32.const 1036
    i32.add
    local.set $x
    local.get $x
    i32.const 1037
    i32.add
    local.set $x
    local.get $x
    i32.const 1038
    i32.add
    local.set $x
    local.get $x
    i32.const 1039
    i32.add
    local.set $x
    local.get $x
    i32.const 1040
    i32.add
    local.set $x
    local.get $x
    i32.const 1041
    i32.add
    local.set $x
    local.get $x
    i32.const 1042
    i32.add
    local.set $x
    local.get $x
    i32.const 1043
    i32.add
    local.set $x
    local.get $x
    i32.const 1044
    i32.add
    local.set $x
    local.get $x
    i32.const 1045
    i32.add
    local.set $x
    local.get $x
    i32.const 1046
    i32.add
    local.set $x
    local.get $x
    i32.const 1047
    i32.add
    local.set $x
    local.get $x
    i32.const 1048
    i32.add
    local.set $x
    local.get $x
    i32.const 1049
    i32.add
    local.set $x
    local.get $x
    i32.const 1050
    i32.add
    local.set $x
    local.get $x
    i32.const 1051
    i32.add
    local.set $x
    local.get $x
    i32.const 1052
    i32.add
    local.set $x
    local.get $x
    i32.const 1053
    i32.add
    local.set $x
    local.get $x
    i32.const 1054
    i32.add
    local.set $x
    local.get $x
    i32.const 1055
    i32.add
    local.set $x
    local.get $x
    i32.const 1056
    i32.add
    local.set $x
    local.get $x
    i32.const 1057
    i32.add
    local.set $x
    local.get $x
    i32.const 1058
    i32.add
    local.set $x
    local.get $x
    i32.const 1059
    i32.add
    local.set $x
    local.get $x
    i32.const 1060
    i32.add
    local.set $x
    local.get $x
    i32.const 1061
    i32.add
    local.set $x
    local.get $x
    i32.const 1062
    i32.add
    local.set $x
    local.get $x
    i32.const 1063
    i32.add
    local.set $x
    local.get $x
    i32.const 1064
    i32.add
    local.set $x
    local.get $x
    i32.const 1065
    i32.add
    local.set $x
    local.get $x
    i32.const 1066
    i32.add
    local.set $x
    local.get $x
    i32.const 1067
    i32.add
    local.set $x
    local.get $x
    i32.const 1068
    i32.add
    local.set $x
    local.get $x
    i32.const 1069
    i32.add
    local.set $x
    local.get $x
    i32.const 1070
    i32.add
    local.set $x
    local.get $x
    i32.const 1071
    i32.add
    local.set $x
    local.get $x
    i32.const 1072
    i32.add
    local.set $x
    local.get $x
    i32.const 1073
    i32.add
    local.set $x
    local.get $x
    i32.const 1074
    i32.add
    local.set $x
    local.get $x
    i32.const 1075
    i32.add
    local.set $x
    local.get $x
    i32.const 1076
    i32.add
    local.set $x
    local.get $x
    i32.const 1077
    i32.add
    local.set $x
    local.get $x
    i32.const 1078
    i32.add
    local.set $x
    local.get $x
    i32.const 1079
    i32.add
    local.set $x
    local.get $x
    i32.const 1080
    i32.add
    local.set $x
    local.get $x
    i32.const 1081
    i32.add
    local.set $x
    local.get $x
    i32.const 1082
    i32.add
    local.set $x
    local.get $x
    i32.const 1083
    i32.add
    local.set $x
    local.get $x
    i32.const 1084
    i32.add
    local.set $x
    local.get $x
    i32.const 1085
    i32.add
    local.set $x
    local.get $x
    i32.const 1086
    i32.add
    local.set $x
    local.get $x
    i32.const 1087
    i32.add
    local.set $x
    local.get $x
    i32.const 1088
    i32.add
    local.set $x
    local.get $x
    i32.const 1089
    i32.add
    local.set $x
    local.get $x
    i32.const 1090
    i32.add
    local.set $x
    local.get $x
    i32.const 1091
    i32.add
    local.set $x
    local.get $x
    i32.const 1092
    i32.add
    local.set $x
    local.get $x
    i32.const 1093
    i32.add
    local.set $x
    local.get $x
    i32.const 1094
    i32.add
    local.set $x
    local.get $x
    i32.const 1095
    i32.add
    local.set $x
    local.get $x
    i32.const 1096
    i32.add
    local.set $x
    local.get $x
    i32.const 1097
    i32.add
    local.set $x
    local.get $x
    i32.const 1098
    i32.add
    local.set $x
    local.get $x
    i32.const 1099
    i32.add
    local.set $x
    i32.const 0
    i32.load
    drop
  )
