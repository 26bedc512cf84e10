#pragma once
#ifdef __cplusplus
extern "C"
#endif
int ito_onednn_version(void);
